#include "textflag.h"

// func spawn(first, second uintptr, steps *rawStep, n int, errs *int32) (r uintptr)
//
// Between a step and the next the child has nothing but registers that system calls keep, all but R0:
// R19 the step, R20 how many are left, R21 where the errno goes.
TEXT ·spawn(SB), NOSPLIT, $0-48
	MOVD first+0(FP), R0
	MOVD second+8(FP), R1
	MOVD steps+16(FP), R19
	MOVD n+24(FP), R20
	MOVD errs+32(FP), R21
	MOVD $0, R2
	MOVD $0, R3
	MOVD $0, R4
	MOVD $220, R8 // clone
	SVC
	CBZ  R0, child
	MOVD R0, r+40(FP)
	RET

child:
	CBZ  R20, end
	MOVW (R21), R6
	MOVW $0, R7
	CMPW $-2, R6 // stepSkipped
	BEQ  next
	MOVD 0(R19), R8
	MOVD 8(R19), R0
	MOVD 16(R19), R1
	MOVD 24(R19), R2
	MOVD 32(R19), R3
	MOVD 40(R19), R4
	MOVD 48(R19), R5
	SVC
	MOVW $0, R7
	CMN  $4095, R0
	BCC  next
	NEGW R0, R7

next:
	MOVW R7, (R21)
	ADD  $56, R19
	ADD  $4, R21
	SUB  $1, R20
	B    child

end:
	MOVD $0, R0
	MOVD $94, R8 // exit_group
	SVC
	B    end
