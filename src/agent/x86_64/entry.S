/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every way into and out of the agent that C cannot write.
 *
 *   agent_entry         the kernel starts the image here (execve)
 *   agent_sigsys        handler of SIGSYS: takes a slot, moves to its stack, runs trap_main(), returns by rt_sigreturn
 *   agent_thunk_*       the handler that the kernel has for a guest's signal: decides by the interrupted pc
 *   agent_pass*         where a passed-on call is executed in the guest's own context
 *   agent_report        shows the result of such a call to trap_main()
 *   agent_window        the only place where an emulated call sleeps
 *   agent_copy          the only place that touches guest memory
 *   agent_clone_vm      clone where the child shares our memory
 *
 * General registers only. A label pair NAME_begin/NAME_end is a range that agent_thunk's C half (signal.c) compares the interrupted
 * pc with; keep every instruction of a mechanism between its labels.
 */
#include <asm/unistd.h>

#include "agent/x86_64/offsets.h"

#define FUNCTION(name) .globl name; .hidden name; .type name, @function; .balign 16; name
#define LABEL(name) .globl name; .hidden name; name

	.macro load_arguments /* r11 = six arguments of a system call */
	mov (%r11), %rdi
	mov 8(%r11), %rsi
	mov 16(%r11), %rdx
	mov 24(%r11), %r10
	mov 32(%r11), %r8
	mov 40(%r11), %r9
	.endm

	.macro load_left_arguments
	mov OFF_LEFT_ARGS(%rsp), %rdi
	mov OFF_LEFT_ARGS + 8(%rsp), %rsi
	mov OFF_LEFT_ARGS + 16(%rsp), %rdx
	mov OFF_LEFT_ARGS + 24(%rsp), %r10
	mov OFF_LEFT_ARGS + 32(%rsp), %r8
	mov OFF_LEFT_ARGS + 40(%rsp), %r9
	.endm

	.section .text.entry, "ax", @progbits

/* rsp = the kernel's start stack: argc. agent_load() returns rax = new stack pointer, rdx = entry point. */
FUNCTION(agent_entry):
	mov %rsp, %rbx
	mov %rbx, %rdi
	xor %ebp, %ebp
	and $-16, %rsp
	call agent_start
	mov %rax, %rsp
	mov %rbx, %rdi
	call agent_load
	mov %rax, %rsp
	mov %rdx, %r11
	xor %eax, %eax
	xor %ebx, %ebx
	xor %ecx, %ecx
	xor %edx, %edx /* no function for atexit */
	xor %esi, %esi
	xor %edi, %edi
	xor %r8d, %r8d
	xor %r9d, %r9d
	xor %r10d, %r10d
	xor %r12d, %r12d
	xor %r13d, %r13d
	xor %r14d, %r14d
	xor %r15d, %r15d
	jmp *%r11

/*
 * The pass range: system calls made on the guest's behalf. Filters trust it like the rest of the text, the guest's own, too (guest_seccomp.c): those have
 * judged the call as the guest made it.
 *
 * agent_pass: the guest continues here with all its registers; at rsp lie its own rsp and pc. The call is executed as if by its own
 * instruction: it may block, be interrupted and restarted. rcx and r11 are clobbered as by any system call.
 */
LABEL(agent_pass_begin):
FUNCTION(agent_pass):
	syscall
LABEL(agent_pass_done):
	mov OFF_LEFT_IP(%rsp), %rcx
	mov (%rsp), %rsp
	jmp *%rcx

/* The same for a call with edited arguments: the guest's six are put back. */
FUNCTION(agent_pass_edited):
	syscall
	load_left_arguments
	jmp agent_pass_done

/* The same in a cell whose calls are recorded (trace.c): results that may be negative errnos, or all of them, are shown to trap_main().
 * rcx = the guest's pc, r11 = the call's number: rsp + 0 … is written here, where the trap's frame has lain, not below it. No instruction that changes
 * flags: the kernel preserves them. */
	.macro leave_behind name
	lea -OFF_LEFT_BELOW(%rsp), %rsp
	mov %rcx, OFF_LEFT_IP(%rsp)
	mov %r11, OFF_LEFT_NR(%rsp)
	lea OFF_LEFT_BELOW(%rsp), %rcx
LABEL(\name\()_left):
	mov %rcx, (%rsp)
LABEL(\name\()_call):
	syscall
	.endm

FUNCTION(agent_pass_traced):
	leave_behind agent_pass_traced
1:	mov %rax, %rcx
	bswap %rcx
	movzbl %cl, %ecx
	jrcxz agent_pass_done /* the highest byte is 0: no error */
	jmp agent_report

FUNCTION(agent_pass_reported):
	leave_behind agent_pass_reported
	jmp agent_report

/* The same two for a call with edited arguments; all lies at rsp already. */
FUNCTION(agent_pass_traced_edited):
	syscall
	load_left_arguments
	jmp 1b
FUNCTION(agent_pass_reported_edited):
	syscall
	load_left_arguments
	jmp agent_report

/* The same for a call that takes away the stack it is made on; rsp lies in a slot, which is given back. r11 is not what the kernel leaves. */
FUNCTION(agent_pass_offstack):
	syscall
	mov OFF_LEFT_IP(%rsp), %rcx
	mov OFF_LEFT_ARGS(%rsp), %r11
	mov (%rsp), %rsp
	movl $0, (%r11)
	jmp *%rcx

/* agent_pass_reported for a call that the guest's own filters are to see: the one instruction here that they judge (guest_seccomp.c). */
FUNCTION(agent_pass_judged):
	syscall
LABEL(agent_pass_judged_done):
	jmp agent_report
LABEL(agent_pass_resume_end):

/* long agent_reissue(long nr, const u64 args[6]): a call of the guest's, made while it waits. */
FUNCTION(agent_reissue):
	mov %rdi, %rax
	mov %rsi, %r11
	load_arguments
	syscall
	ret

/* long agent_clone_vm(long nr, const u64 args[6], u64 child_frame, const struct child_chores *chores): the parent gets the result; the child
 * resumes from the context at child_frame + 8. chores (or NULL) only with CLONE_VFORK: the child runs C on the parent's slot. */
FUNCTION(agent_clone_vm):
	push %rbx
	push %rbp
	push %r12
	mov %rdi, %rax
	mov %rsi, %r11
	mov %rdx, %rbx
	mov %rcx, %rbp
	mov %rsp, %r12
	load_arguments
	syscall
	test %rax, %rax
	jz 1f
	pop %r12
	pop %rbp
	pop %rbx
	ret
1:	test %rbp, %rbp
	jz 2f
	lea -64(%r12), %rsp
	and $-16, %rsp
	mov %rbp, %rdi
	call clone_child_chores
2:	lea 8(%rbx), %rsp
	mov $__NR_rt_sigreturn, %eax
	syscall
	ud2

/* A passed-on call is over, rax = its result: traps, and trap_main() goes on behind the guest's own instruction. lea: gVisor patches 'mov $number; syscall', and we want to be found where we are. */
FUNCTION(agent_report):
	mov %rax, OFF_LEFT_RESULT(%rsp)
	lea TRACE_REPORT_NR_ASM, %eax
	syscall
LABEL(agent_report_trapped):
	mov OFF_LEFT_RESULT(%rsp), %rax
	jmp agent_pass_done
LABEL(agent_report_end):

	.text

/* The restorer of our own actions. */
FUNCTION(agent_restorer):
	mov $__NR_rt_sigreturn, %eax
	syscall
	ud2
LABEL(agent_restorer_end):

/* rdi = SIGSYS (or SIGPIPE: vfs_write.c), rsi = siginfo, rdx = context, rsp = frame, on the guest's stack or alternate stack. All maskable signals but
 * SIGSEGV and SIGBUS are blocked. Threads start looking for a slot at a number made of their stack's address. */
FUNCTION(agent_sigsys):
	movabs $(OFF_PRIVATE + OFF_SLOT_BUSY), %r8
	mov %rsp, %rcx
	shr $16, %rcx
	imul $0x9e3779b1, %ecx, %ecx
	shr $22, %ecx
	mov $1, %r9d
	mov $(OFF_SLOT_MASK + 1), %r10d
1:	xor %eax, %eax
	lock cmpxchg %r9d, (%r8, %rcx, 4)
	je 2f
	inc %ecx
	and $OFF_SLOT_MASK, %ecx
	dec %r10d
	jnz 1b
	mov %ecx, %ebx /* a whole round: others are busy (they end, see agent_wait()), or the table is not ours any more */
	movabs $OFF_PRIVATE, %rax
	movabs $OFF_PRIVATE_MAGIC, %r11
	cmp %r11, (%rax)
	jne 4f
	mov $__NR_sched_yield, %eax
	syscall
	mov %ebx, %ecx
	mov $(OFF_SLOT_MASK + 1), %r10d
	jmp 1b
2:	mov %rsp, %rbx
	mov %rcx, %rbp
	mov %rsi, %r12
	mov %rdx, %r13
	mov %edi, %r14d
	lea 1(%rcx), %rax
	shl $OFF_SLOT_SHIFT, %rax
	movabs $OFF_POOL, %rsp
	add %rax, %rsp
	mov %rbx, %r8 /* trap_main(sig, info, context, slot, frame) */
	call trap_main
	mov %rax, %r11 /* 0, or a guest handler to enter */
	movabs $(OFF_PRIVATE + OFF_SLOT_BUSY), %r8
	mov %rbx, %rsp
	movl $0, (%r8, %rbp, 4)
	test %r11, %r11
	jnz 3f
	add $8, %rsp
	mov $__NR_rt_sigreturn, %eax
	syscall
	ud2
4:	and $-16, %rsp
	call agent_overwritten
	ud2
3:	mov %r14d, %edi
	mov %r12, %rsi
	mov %r13, %rdx
	xor %eax, %eax
	jmp *%r11

/* One thunk per row of private->thunks, 16 bytes each. */
FUNCTION(agent_thunks):
	.set i, 0
	.rept OFF_THUNKS_MAX
	.balign 16
	mov $i, %eax
	jmp agent_thunk
	.set i, i + 1
	.endr

/* rdi, rsi, rdx as for any handler, eax = row. In guest code (or agent code that runs as the guest): straight on. Up to
 * agent_thunk_slow nothing of the guest's state is touched, so a signal that comes here nests as in guest code. The slow way is also
 * taken when SIGSYS is blocked as far as the guest knows, or will be in this handler: the saved mask must tell. */
FUNCTION(agent_thunk):
	mov OFF_CONTEXT_IP(%rdx), %r8
	movabs $(OFF_PRIVATE + OFF_THUNKS), %r9
	mov %rax, %r10
	shl $5, %r10
	mov (%r9, %r10), %r11
	cmp $1, %r11
	jbe agent_thunk_slow
	testl $0x40000000, 24(%r9, %r10) /* SIGSYS in the row's mask */
	jnz agent_thunk_slow
	movabs $(OFF_PRIVATE + OFF_SHADOW_COUNT), %r9
	cmpl $0, (%r9)
	jne agent_thunk_slow
	movabs $OFF_TEXT, %r9
	sub %r9, %r8
	lea agent_end(%rip), %r10
	sub %r9, %r10
	cmp %r10, %r8
	jb agent_thunk_slow
	xor %eax, %eax
	jmp *%r11
LABEL(agent_thunk_slow):
	push %rdi
	push %rsi
	push %rdx /* the frame is 16n+8, now aligned */
	sub $8, %rsp
	and $-16, %rsp
	mov %rax, %rcx
	mov %rdx, %rbx
	mov %rdi, %r12
	mov %rsi, %r13
	call signal_in_agent /* (sig, info, context, row): 0 = resume the context, else jump there as handler */
	lea -8(%rbx), %rsp   /* the context follows the return address in the frame */
	test %rax, %rax
	jnz 2f
	add $8, %rsp
	mov $__NR_rt_sigreturn, %eax
	syscall
	ud2
2:	mov %rax, %r11
	mov %r12, %rdi
	mov %r13, %rsi
	mov %rbx, %rdx
	xor %eax, %eax
	jmp *%r11

/* long agent_window(struct trap *trap, const struct window *window, u64 arg0, u64 arg1, u64 arg2, u64 arg3)
 * Makes a call with the guest's signal mask, on the frame's stack, so that a signal's frame nests as it would in the guest. Returns the call's
 * result, or -EINTR when a guest handler is due. */
FUNCTION(agent_window):
	push %rbx
	push %rbp
	push %r12
	push %r13
	push %r14
	push %r15
	mov %rdi, %rbx
	mov %rsi, %rbp
	mov %rdx, %r12
	mov %rcx, %r13
	mov %r8, %r14
	mov %r9, %r15
	mov %rsp, OFF_TRAP_AGENT_SP(%rbx)
	mov OFF_TRAP_FRAME(%rbx), %rsp
LABEL(agent_window_begin):
	mov $2, %edi /* SIG_SETMASK */
	mov %rbp, %rsi
	xor %edx, %edx
	mov $8, %r10d
	mov $__NR_rt_sigprocmask, %eax
	syscall
	mov %r12, %rdi
	mov %r13, %rsi
	mov %r14, %rdx
	mov %r15, %r10
	xor %r8d, %r8d
	xor %r9d, %r9d
	mov 16(%rbp), %eax
	cmpl $0, OFF_TRAP_INTERRUPTED(%rbx)
	jne agent_window_cancel
LABEL(agent_window_sleep):
	syscall
LABEL(agent_window_woken):
	mov %rax, %r14
	mov $2, %edi
	lea 8(%rbp), %rsi
	xor %edx, %edx
	mov $8, %r10d
	mov $__NR_rt_sigprocmask, %eax
	syscall
LABEL(agent_window_end):
	mov %r14, %rax
	mov OFF_TRAP_AGENT_SP(%rbx), %rsp
	pop %r15
	pop %r14
	pop %r13
	pop %r12
	pop %rbp
	pop %rbx
	ret
LABEL(agent_window_cancel):
	mov $-4, %rax
	jmp agent_window_woken

/* long agent_copy(void *to, const void *from, u64 size, u64 frame): 0 or -EFAULT. On the frame's stack, for the same reason. */
FUNCTION(agent_copy):
	mov %rcx, %rax
	mov %rdx, %rcx
	mov %rsp, %r8
	mov %rax, %rsp
LABEL(agent_copy_begin):
	rep movsb
LABEL(agent_copy_end):
	mov %r8, %rsp
	xor %eax, %eax
	ret
LABEL(agent_copy_fault):
	mov %r8, %rsp
	mov $-14, %rax
	ret

/* long agent_copy_string(char *to, const char *from, u64 size, u64 frame): length without NUL, -EFAULT, or -ENAMETOOLONG. */
FUNCTION(agent_copy_string):
	mov %rsp, %r8
	mov %rcx, %rsp
	xor %eax, %eax
LABEL(agent_string_begin):
1:	cmp %rdx, %rax
	jae 2f
	movb (%rsi, %rax), %cl
	movb %cl, (%rdi, %rax)
	inc %rax
	test %cl, %cl
	jnz 1b
LABEL(agent_string_end):
	mov %r8, %rsp
	dec %rax
	ret
2:	mov %r8, %rsp
	mov $-36, %rax
	ret

	.section .note.GNU-stack, "", @progbits
