package lab

import (
	"testing"

	"pivotspec/kernels"
)

// TestNoModules: two kernels of the catalogue without modules give the guest the same reason.
func TestNoModules(t *testing.T) {
	for _, c := range []struct {
		kernel kernels.Kernel
		want   string
	}{
		{kernels.Kernel{Package: "linux-binary-7.0", NoModules: "suite x carries no package linux-modules-7.0 of version 7.0.13-1"}, "its package is no longer in the archive"},
		{kernels.Kernel{Package: "linux-binary-7.1", NoModules: "suite y carries no package linux-modules-7.1 of version 7.1.13-1"}, "its package is no longer in the archive"},
		{kernels.Kernel{Package: "linux-image-6.1", Modules: "/modules"}, ""},
		{kernels.Kernel{NoModules: "there is no modules folder of its release beside it"}, "there is no modules folder of its release beside it"},
	} {
		if got := noModules(c.kernel); got != c.want {
			t.Errorf("%+v: got %q, want %q", c.kernel, got, c.want)
		}
	}
}
