package lab

import (
	"testing"

	"pivotspec/harness/vm"
)

// TestRealArchs boots one kernel that is big-endian, one of another 64-bit machine and programs of
// 32 bits, each from the user's cache (fetched if it is not there) with an init that powers off.
func TestRealArchs(t *testing.T) {
	if testing.Short() {
		t.Skip("real boots take too long for -short")
	}
	l, err := Open("", "")
	if err != nil {
		t.Fatal(err)
	}
	jobs, err := l.Jobs(t.Context(), Wish{Kernels: []string{"6.1/s390x", "6.1/arm64", "7.0/amd64/i386"}, Accel: "tcg", Bare: true}, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i, abi := range []string{"s390x", "arm64", "i386"} {
		j := jobs[i]
		t.Run(j.Name, func(t *testing.T) {
			if j.Err != nil {
				t.Fatalf("a real boot needs QEMU, Go and kernels: %v; `make test` installs and fetches them, -short goes without", j.Err)
			}
			if j.ABI != abi {
				t.Errorf("programs of %s, want %s", j.ABI, abi)
			}
			rep, err := vm.Run(t.Context(), j.VM)
			if err != nil {
				t.Fatal(err)
			}
			if len(rep.Findings) > 0 {
				t.Errorf("findings: %v", rep.Findings)
			}
			t.Logf("%v", rep.Wall)
		})
	}
}
