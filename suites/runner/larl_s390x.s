#include "textflag.h"

// func larl() int64
TEXT ·larl(SB), NOSPLIT, $0-8
	// larl %r1,.+2147483648
	BYTE $0xc0; BYTE $0x10; BYTE $0x40; BYTE $0x00; BYTE $0x00; BYTE $0x00
	// larl %r2,.
	BYTE $0xc0; BYTE $0x20; BYTE $0x00; BYTE $0x00; BYTE $0x00; BYTE $0x00
	SUB  R2, R1
	MOVD R1, ret+0(FP)
	RET
