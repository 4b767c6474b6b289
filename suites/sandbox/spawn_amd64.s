#include "textflag.h"

// func spawn(first, second uintptr, steps *rawStep, n int, errs *int32) (r uintptr)
//
// Between a step and the next the child has nothing but registers that system calls keep: R12 the step,
// R13 how many are left, R14 where the errno goes.
TEXT ·spawn(SB), NOSPLIT, $0-48
	MOVQ first+0(FP), DI
	MOVQ second+8(FP), SI
	MOVQ steps+16(FP), R12
	MOVQ n+24(FP), R13
	MOVQ errs+32(FP), R14
	XORL DX, DX
	XORL R10, R10
	XORL R8, R8
	MOVL $56, AX // clone
	SYSCALL
	TESTQ AX, AX
	JEQ  child
	MOVQ AX, r+40(FP)
	RET

child:
	TESTQ R13, R13
	JEQ  end
	CMPL (R14), $-2 // stepSkipped
	JEQ  skipped
	MOVQ 0(R12), AX
	MOVQ 8(R12), DI
	MOVQ 16(R12), SI
	MOVQ 24(R12), DX
	MOVQ 32(R12), R10
	MOVQ 40(R12), R8
	MOVQ 48(R12), R9
	SYSCALL
	CMPQ AX, $-4095
	JCC  failed

skipped:
	XORL AX, AX

failed:
	NEGL AX
	MOVL AX, (R14)
	ADDQ $56, R12
	ADDQ $4, R14
	DECQ R13
	JMP  child

end:
	MOVL $231, AX // exit_group
	XORL DI, DI
	SYSCALL
	JMP  end
