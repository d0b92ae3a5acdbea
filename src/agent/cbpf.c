/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A program is checked once, when it is installed, and run without checks afterwards: every jump leads forward and stays inside, the last instruction
 * returns, no word of its memory is read before it is written on every way there, and only words of struct seccomp_data are loaded.
 *
 * Arithmetic is the kernel's (net/core/filter.c and the 32-bit operations of eBPF that it translates to): a division by an X of 0 ends the program with
 * 0, shifts count modulo 32.
 */
#include "agent/cbpf.h"

#include "base/mem.h"

#define ALLOW 0x7fff0000u /* SECCOMP_RET_ALLOW */
#define ANSWERS_MAX 8u

enum {
	LD = 0x00,
	LDX = 0x01,
	ST = 0x02,
	STX = 0x03,
	ALU = 0x04,
	JMP = 0x05,
	RET = 0x06,
	MISC = 0x07,

	IMM = 0x00,
	ABS = 0x20,
	MEM = 0x60,
	LEN = 0x80,

	ADD = 0x00,
	SUB = 0x10,
	MUL = 0x20,
	DIV = 0x30,
	OR = 0x40,
	AND = 0x50,
	LSH = 0x60,
	RSH = 0x70,
	NEG = 0x80,
	XOR = 0xa0,

	JA = 0x00,
	JEQ = 0x10,
	JGT = 0x20,
	JGE = 0x30,
	JSET = 0x40,

	X = 0x08,
	A = 0x10,
	TXA = 0x80,
};

static bool known_alu(u32 code)
{
	switch (code & 0xf0) {
	case ADD:
	case SUB:
	case MUL:
	case DIV:
	case OR:
	case AND:
	case LSH:
	case RSH:
	case XOR:
		return true;
	case NEG:
		return !(code & X);
	default:
		return false;
	}
}

static bool good_alu(const struct cbpf_insn *insn)
{
	if (insn->code & ~0xffu || !known_alu(insn->code))
		return false;
	if (insn->code == (ALU | DIV))
		return insn->k != 0;
	if (insn->code == (ALU | LSH) || insn->code == (ALU | RSH))
		return insn->k < 32;
	return true;
}

/* left: instructions behind this one. */
static bool good_jump(const struct cbpf_insn *insn, u32 left)
{
	switch (insn->code) {
	case JMP | JA:
		return insn->k < left;
	case JMP | JEQ:
	case JMP | JEQ | X:
	case JMP | JGT:
	case JMP | JGT | X:
	case JMP | JGE:
	case JMP | JGE | X:
	case JMP | JSET:
	case JMP | JSET | X:
		return insn->jt < left && insn->jf < left;
	default:
		return false;
	}
}

static bool good(const struct cbpf_insn *insn, u32 left)
{
	switch (insn->code & 7u) {
	case ALU:
		return good_alu(insn);
	case JMP:
		return good_jump(insn, left);
	default:
		break;
	}
	switch (insn->code) {
	case LD | ABS:
		return insn->k < sizeof(struct cbpf_data) && insn->k % 4 == 0;
	case LD | MEM:
	case LDX | MEM:
	case ST:
	case STX:
		return insn->k < CBPF_WORDS;
	case LD | IMM:
	case LDX | IMM:
	case LD | LEN:
	case LDX | LEN:
	case RET:
	case RET | A:
	case MISC:
	case MISC | TXA:
		return true;
	default:
		return false;
	}
}

/* Which words of memory are written on every way to an instruction: a bit each. Jumps lead forward, so one pass does. */
static bool reads_what_is_written(const struct cbpf_insn *insn, u32 length, u16 *written)
{
	u16 now = 0;

	memset(written, 0xff, length * sizeof(*written));
	for (u32 i = 0; i < length; i++) {
		now &= written[i];
		switch (insn[i].code) {
		case ST:
		case STX:
			now |= (u16)(1u << insn[i].k);
			break;
		case LD | MEM:
		case LDX | MEM:
			if (!(now & 1u << insn[i].k))
				return false;
			break;
		case JMP | JA:
			written[i + 1 + insn[i].k] &= now;
			now = 0xffff;
			break;
		default:
			if ((insn[i].code & 7u) == JMP) {
				written[i + 1 + insn[i].jt] &= now;
				written[i + 1 + insn[i].jf] &= now;
				now = 0xffff;
			}
			break;
		}
	}
	return true;
}

bool cbpf_check(const struct cbpf_insn *insn, u32 length, u16 *work)
{
	if (length == 0 || length > CBPF_INSNS_MAX)
		return false;
	for (u32 i = 0; i < length; i++)
		if (!good(&insn[i], length - 1 - i))
			return false;
	if ((insn[length - 1].code & 7u) != RET)
		return false;
	return reads_what_is_written(insn, length, work);
}

/* a: the accumulator. False: a division by zero. */
static bool compute(u32 code, u32 *a, u32 by)
{
	switch (code & 0xf0) {
	case ADD:
		*a += by;
		break;
	case SUB:
		*a -= by;
		break;
	case MUL:
		*a *= by;
		break;
	case DIV:
		if (!by)
			return false;
		*a /= by;
		break;
	case OR:
		*a |= by;
		break;
	case AND:
		*a &= by;
		break;
	case LSH:
		*a <<= by & 31;
		break;
	case RSH:
		*a >>= by & 31;
		break;
	case XOR:
		*a ^= by;
		break;
	default: /* NEG */
		*a = 0 - *a;
		break;
	}
	return true;
}

static bool jumps(u32 code, u32 a, u32 with)
{
	switch (code & 0xf0) {
	case JEQ:
		return a == with;
	case JGT:
		return a > with;
	case JGE:
		return a >= with;
	default: /* JSET */
		return a & with;
	}
}

u32 cbpf_run(const struct cbpf_insn *insn, const struct cbpf_data *data, bool *ret_constant)
{
	u32 memory[CBPF_WORDS], a = 0, x = 0;

	*ret_constant = true;
	for (;; insn++) {
		u32 code = insn->code, k = insn->k, by = code & X ? x : k;

		switch (code) {
		case LD | ABS:
			__builtin_memcpy(&a, (const u8 *)data + k, sizeof(a));
			*ret_constant &= k < offsetof(struct cbpf_data, ip);
			continue;
		case LD | IMM:
			a = k;
			continue;
		case LD | LEN:
			a = sizeof(*data);
			continue;
		case LD | MEM:
			a = memory[k]; // NOLINT(clang-analyzer-core.uninitialized.Assign): cbpf_check() looked
			continue;
		case LDX | IMM:
			x = k;
			continue;
		case LDX | LEN:
			x = sizeof(*data);
			continue;
		case LDX | MEM:
			x = memory[k]; // NOLINT(clang-analyzer-core.uninitialized.Assign)
			continue;
		case ST:
			memory[k] = a;
			continue;
		case STX:
			memory[k] = x;
			continue;
		case MISC:
			x = a;
			continue;
		case MISC | TXA:
			a = x;
			continue;
		case RET:
			return k;
		case RET | A:
			return a;
		case JMP | JA:
			insn += k;
			continue;
		default:
			break;
		}
		if ((code & 7u) == JMP)
			insn += jumps(code, a, by) ? insn->jt : insn->jf;
		else if (!compute(code, &a, by))
			return 0;
	}
}

/* --- exempting ---------------------------------------------------------------------------------------------------------------------------- */

#define CHECK_LENGTH 6u

/* Allows the call if it is a trusted one's, else goes on behind. */
static u32 put_check(struct cbpf_insn *to, const struct cbpf_trusted *trusted)
{
	const struct cbpf_insn check[CHECK_LENGTH] = {
		{ LD | ABS, 0, 0, offsetof(struct cbpf_data, ip) + 4 }, /* the high half */
		{ JMP | JEQ, 0, 4, (u32)(trusted->text >> 32) },
		{ LD | ABS, 0, 0, offsetof(struct cbpf_data, ip) },
		{ JMP | JGE, 2, 0, trusted->size },
		{ JMP | JEQ, 1, 0, trusted->judged },
		{ RET, 0, 0, ALLOW },
	};

	memcpy(to, check, sizeof(check));
	return CHECK_LENGTH;
}

static u32 check_first(struct cbpf_insn *to, const struct cbpf_insn *from, u32 length, const struct cbpf_trusted *trusted)
{
	u32 n = put_check(to, trusted);

	to[n++] = (struct cbpf_insn){ LD | IMM, 0, 0, 0 }; /* as a program begins */
	memcpy(to + n, from, length * sizeof(*to));
	return n + length;
}

u32 cbpf_exempt(struct cbpf_insn *to, const struct cbpf_insn *from, u32 length, const struct cbpf_trusted *trusted)
{
	u32 answer[ANSWERS_MAX], end = length, answers = 0;

	memcpy(to, from, length * sizeof(*to));
	for (u32 i = 0; i < length; i++) {
		u32 which = 0;

		if (from[i].code == (RET | A) || from[i].code == (ALU | DIV | X)) /* which may end it with 0 */
			return check_first(to, from, length, trusted);
		if (from[i].code != RET || from[i].k == ALLOW)
			continue;
		while (which < answers && answer[which] != from[i].k)
			which++;
		if (which == answers) {
			if (answers == ANSWERS_MAX || end + CHECK_LENGTH + 1 > CBPF_INSNS_MAX)
				return check_first(to, from, length, trusted);
			answer[answers++] = from[i].k;
			end += put_check(to + end, trusted);
			to[end++] = from[i];
		}
		to[i] = (struct cbpf_insn){ JMP | JA, 0, 0, length + which * (CHECK_LENGTH + 1) - i - 1 };
	}
	return end;
}
