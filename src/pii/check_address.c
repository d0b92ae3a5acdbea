// SPDX-License-Identifier: Apache-2.0
/* Checksums of addresses of cryptocurrencies. */
#include <sodium/crypto_hash_sha256.h>
#include <string.h>

#include "pii/checks.h"

/* --- Base58Check ---------------------------------------------------------------------------------------------------------------------- */

#define ADDRESS_SIZE 25 /* version, hash of 20 bytes, four bytes of checksum */

/* Digits and letters but 0 I O l. */
static int base58_value(int c)
{
	if (c >= '1' && c <= '9')
		return c - '1';
	if (c >= 'A' && c <= 'Z' && c != 'I' && c != 'O')
		return c - 'A' + 9 - (c > 'I') - (c > 'O');
	return c >= 'a' && c <= 'z' && c != 'l' ? c - 'a' + 33 - (c > 'l') : -1;
}

/* Reads base 58 into exactly ADDRESS_SIZE bytes. */
static bool decode_base58(const u8 *text, size_t size, u8 *to)
{
	size_t zeros = 0, ones = 0;
	u32 limbs[ADDRESS_SIZE / 4 + 1] = { 0 }; /* the lowest first */
	for (size_t i = 0; i < size; i++) {
		int value = base58_value(text[i]);
		if (value < 0)
			return false;
		u64 carry = (u64)value;
		for (size_t k = 0; k < ARRAY_SIZE(limbs); k++) {
			carry += 58ull * limbs[k];
			limbs[k] = (u32)carry;
			carry >>= 32;
		}
		/* Of the highest limb, the lowest byte is the address's first. */
		if (limbs[ARRAY_SIZE(limbs) - 1] > 0xff)
			return false;
	}
	for (size_t k = 0; k < ADDRESS_SIZE; k++)
		to[ADDRESS_SIZE - 1 - k] = (u8)(limbs[k / 4] >> k % 4 * 8);
	while (ones < size && text[ones] == '1')
		ones++;
	while (zeros < ADDRESS_SIZE && to[zeros] == 0)
		zeros++;
	return zeros == ones;
}

bool check_base58(const u8 *text, size_t size)
{
	u8 address[ADDRESS_SIZE], hash[crypto_hash_sha256_BYTES];
	if (size < 26 || size > 35 || !decode_base58(text, size, address) || (address[0] != 0 && address[0] != 5))
		return false;
	crypto_hash_sha256(hash, address, ADDRESS_SIZE - 4);
	crypto_hash_sha256(hash, hash, sizeof(hash));
	return memcmp(hash, address + ADDRESS_SIZE - 4, 4) == 0;
}

/* --- Bech32 --------------------------------------------------------------------------------------------------------------------------- */

static u32 bech32_step(u32 sum, unsigned value)
{
	static const u32 generator[] = { 0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3 };
	u32 top = sum >> 25;
	sum = (sum & 0x1ffffff) << 5 ^ value;
	for (unsigned i = 0; i < ARRAY_SIZE(generator); i++)
		if (top >> i & 1)
			sum ^= generator[i];
	return sum;
}

/* The alphabet qpzry9x8gf2tvdw0s3jn54khce6mua7l. */
static int bech32_value(int c)
{
	static const s8 digits[] = { 15, -1, 10, 17, 21, 20, 26, 30, 7, 5 };
	static const s8 letters[] = {
		29, -1, 24, 13, 25, 9, 8, 23, -1, 18, 22, 31, 27, 19, -1, 1, 0, 3, 16, 11, 28, 12, 14, 6, 4, 2
	};
	if (c >= '0' && c <= '9')
		return digits[c - '0'];
	return c >= 'a' && c <= 'z' ? letters[c - 'a'] : -1;
}

bool check_bech32(const u8 *text, size_t size)
{
	bool upper = text[0] < 'a';
	unsigned version = 0;
	if (size < 14 || size > 74)
		return false;
	if (memcmp(text, upper ? "BC1" : "bc1", 3) != 0 && memcmp(text, upper ? "TB1" : "tb1", 3) != 0)
		return false;
	/* The readable part, twice: its high bits, then its low ones. */
	u32 sum = bech32_step(bech32_step(1, 3), 3);
	sum = bech32_step(sum, 0);
	sum = bech32_step(sum, text[0] & 31);
	sum = bech32_step(sum, text[1] & 31);
	for (size_t i = 3; i < size; i++) {
		int c = text[i];
		if (upper && c >= 'A' && c <= 'Z')
			c += 'a' - 'A';
		else if (upper && c >= 'a')
			return false;
		int value = bech32_value(c);
		if (value < 0)
			return false;
		if (i == 3)
			version = (unsigned)value;
		sum = bech32_step(sum, (unsigned)value);
	}
	return version <= 16 && sum == (version == 0 ? 1 : 0x2bc830a3);
}

/* --- Ethereum ------------------------------------------------------------------------------------------------------------------------- */

static u64 rotate(u64 value, unsigned by)
{
	return by ? value << by | value >> (64 - by) : value;
}

/* Keccak-f[1600] (FIPS 202 section 3.2). */
static void keccak(u64 state[25])
{
	unsigned lfsr = 1;
	for (unsigned round = 0; round < 24; round++) {
		u64 column[5], moved, kept;
		for (unsigned x = 0; x < 5; x++)
			column[x] = state[x] ^ state[x + 5] ^ state[x + 10] ^ state[x + 15] ^ state[x + 20];
		for (unsigned i = 0; i < 25; i++)
			state[i] ^= column[(i + 4) % 5] ^ rotate(column[(i + 1) % 5], 1);
		moved = state[1];
		for (unsigned t = 0, x = 1, y = 0; t < 24; t++) {
			unsigned next = (2 * x + 3 * y) % 5;
			x = y;
			y = next;
			kept = state[x + 5 * y];
			state[x + 5 * y] = rotate(moved, (t + 1) * (t + 2) / 2 % 64);
			moved = kept;
		}
		for (unsigned y = 0; y < 25; y += 5) {
			for (unsigned x = 0; x < 5; x++)
				column[x] = state[y + x];
			for (unsigned x = 0; x < 5; x++)
				state[y + x] = column[x] ^ (~column[(x + 1) % 5] & column[(x + 2) % 5]);
		}
		for (unsigned j = 0; j < 7; j++) {
			if (lfsr & 1)
				state[0] ^= (u64)1 << ((1u << j) - 1);
			lfsr = (lfsr << 1) ^ (lfsr >> 7) * 0x171;
		}
	}
}

bool check_ethereum(const u8 *hex)
{
	u64 state[25] = { 0 };
	u8 block[136] = { 0 };
	bool upper = false, lower = false;
	for (unsigned i = 0; i < 40; i++) {
		upper |= hex[i] >= 'A' && hex[i] <= 'F';
		lower |= hex[i] >= 'a' && hex[i] <= 'f';
		block[i] = hex[i] >= 'A' && hex[i] <= 'F' ? (u8)(hex[i] - 'A' + 'a') : hex[i];
	}
	if (!upper || !lower)
		return true;
	/* Keccak-256 as Ethereum uses it: with the padding from before FIPS 202. */
	block[40] = 1;
	block[135] |= 0x80;
	for (unsigned i = 0; i < sizeof(block); i++)
		state[i / 8] ^= (u64)block[i] << (i % 8 * 8);
	keccak(state);
	for (unsigned i = 0; i < 40; i++) {
		u8 byte = (u8)(state[i / 16] >> (i / 2 % 8 * 8));
		bool high = ((i % 2 ? byte : byte >> 4) & 8) != 0;
		if (hex[i] > '9' && high != (hex[i] <= 'F'))
			return false;
	}
	return true;
}
