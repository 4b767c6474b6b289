package lab

import (
	"slices"
	"strings"
	"testing"

	"pivotspec/harness/lab/labtest"
	"pivotspec/harness/matrix"
	"pivotspec/harness/vm"
	"pivotspec/suites/knowledge"
	"pivotspec/suites/knowledge/choose"
	"pivotspec/suites/spec"
)

// TestBehaviours: which cells a list of behaviours makes, and what each of them is asked for.
func TestBehaviours(t *testing.T) {
	l := open(t)
	file := write(t, "kernel", labtest.Kernel("7.0.9-test"))
	base, err := knowledge.LoadToJudge()
	if err != nil {
		t.Fatal(err)
	}
	native, err := l.Table.Native()
	if err != nil {
		t.Fatal(err)
	}
	var plain []string
	for i := range base.Behaviours {
		if base.Behaviours[i].In("") {
			plain = append(plain, base.Behaviours[i].ID)
		}
	}
	for _, c := range []struct {
		name string
		wish Wish
		want map[string]string // by name of the cell: what it is asked for; "" is all
	}{
		{"one", Wish{Kernels: []string{"7.0"}, Behaviours: []string{"rootfs/pivot"}}, map[string]string{"7.0-amd64": "rootfs/pivot"}},
		{"two, of a file", Wish{Kernels: []string{file}, Behaviours: []string{"rootfs/pivot", "eperm/no-cap-sys-admin"}},
			map[string]string{"7.0.9-test-amd64": "eperm/no-cap-sys-admin rootfs/pivot"}},
		{"the scenario that it belongs to", Wish{Kernels: []string{"7.0"}, Behaviours: []string{"boot/pivot-from-disk"}}, map[string]string{"7.0-amd64-disk": "boot/pivot-from-disk"}},
		{"both", Wish{Kernels: []string{"7.0"}, Behaviours: []string{"boot/pivot-from-disk", "rootfs/pivot"}},
			map[string]string{"7.0-amd64": "rootfs/pivot", "7.0-amd64-disk": "boot/pivot-from-disk"}},
		{"in another scenario", Wish{Kernels: []string{"7.0"}, Scenarios: []string{"ramfs", "gzip"}, Behaviours: []string{"rootfs/pivot"}},
			map[string]string{"7.0-amd64-ramfs": "rootfs/pivot", "7.0-amd64-gzip": "rootfs/pivot"}},
		{"of all scenarios those that have it", Wish{Kernels: []string{"7.0"}, Scenarios: []string{"all"}, Behaviours: []string{"boot/pivot-from-disk"}},
			map[string]string{"7.0-amd64-disk": "boot/pivot-from-disk"}},
		{"of an area what belongs there", Wish{Kernels: []string{"7.0"}, Scenarios: []string{"disk"}, Behaviours: []string{"boot/pivot-from-disk", "boot/"}},
			map[string]string{"7.0-amd64-disk": ""}},
		{"an area in the plain one", Wish{Kernels: []string{"7.0"}, Scenarios: []string{"plain"}, Behaviours: []string{"boot/"}},
			map[string]string{"7.0-amd64": "boot/root-is-tmpfs"}},
		{"all of a scenario", Wish{Kernels: []string{"7.0"}, Behaviours: []string{"boot/pivot-from-ram-disk"}}, map[string]string{"7.0-amd64-initrd": ""}},
		{"what needs no boot", Wish{Kernels: []string{"host"}, Behaviours: []string{"boot/"}}, map[string]string{"host-" + native.Name: "boot/root-is-tmpfs"}},
		{"all there are", Wish{Kernels: []string{"7.0"}, Scenarios: []string{"plain"}, Behaviours: plain}, map[string]string{"7.0-amd64": ""}},
		{"none in particular", Wish{Kernels: []string{"7.0"}}, map[string]string{"7.0-amd64": ""}},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, err := l.Resolve(c.wish)
			if err != nil {
				t.Fatal(err)
			}
			got := map[string]string{}
			for _, j := range p.Identify(t.Context()) {
				got[j.Name] = strings.Join(j.Asked, " ")
				if cell := j.Cell(); !slices.Equal(cell.Asked, j.Asked) || !slices.IsSorted(cell.Asked) {
					t.Errorf("%s: the cell has %q, the job %q", j.Name, cell.Asked, j.Asked)
				}
			}
			for name, want := range c.want {
				if asked, ok := got[name]; !ok || asked != want {
					t.Errorf("%s is asked for %q, want %q", name, asked, want)
				}
			}
			if len(got) != len(c.want) {
				t.Errorf("got the cells %v, want %v", got, c.want)
			}
		})
	}
}

func TestBehavioursRefused(t *testing.T) {
	l := open(t)
	words := func() (out []string) { // every second one: no list is longer
		base, err := knowledge.LoadToJudge()
		if err != nil {
			t.Fatal(err)
		}
		for i, w := range slices.DeleteFunc(choose.Words(base), func(w string) bool {
			b, ok := base.Behaviour(w)
			return !ok || !b.In("")
		}) {
			if i%2 == 0 {
				out = append(out, w)
			}
		}
		return out
	}()
	for _, c := range []struct {
		wish Wish
		says string
	}{
		{Wish{Kernels: []string{"7.0"}, Behaviours: []string{"rootfs/pivto"}}, `there is no behaviour "rootfs/pivto": did you mean rootfs/pivot?`},
		{Wish{Kernels: []string{"7.0"}, Behaviours: []string{"rotfs/"}}, `there is no area "rotfs/": did you mean rootfs/?`},
		{Wish{Kernels: []string{"7.0"}, Behaviours: []string{""}}, "a behaviour is empty"},
		{Wish{Kernels: []string{"7.0"}, Scenarios: []string{"plain"}, Behaviours: []string{"boot/pivot-from-disk"}},
			"boot/pivot-from-disk belongs to the scenario disk, and not to the scenario plain"},
		{Wish{Kernels: []string{"7.0"}, Scenarios: []string{"plain", "disk"}, Behaviours: []string{"rootfs/pivot"}},
			"of the behaviours that are asked for none belongs to the scenario disk"},
		{Wish{Kernels: []string{"7.0"}, Scenarios: []string{"disk"}, Behaviours: []string{"boot/", "eperm/"}}, "of the area eperm/ nothing belongs to the scenario disk"},
		{Wish{Kernels: []string{"host"}, Behaviours: []string{"boot/pivot-from-disk"}}, "boot/pivot-from-disk belongs to the scenario disk, which is a way to boot, and host is not booted"},
		{Wish{Kernels: []string{"gvisor", "7.0"}, Behaviours: []string{"boot/pivot-from-disk"}}, "and gvisor is not booted"},
		{Wish{Kernels: []string{"6.12/mips64el"}, Behaviours: words}, "is too long for the command line of kernels of mips64el, by "},
	} {
		_, err := l.Resolve(c.wish)
		if err == nil || !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q of %v: %v, want %q", c.wish.Behaviours, c.wish.Kernels, err, c.says)
		}
	}
	// On a command line that is longer there is room for any list.
	for _, a := range []string{"7.0/amd64", "7.0/arm64", "6.12/armhf", "6.12/riscv64", "6.12/ppc64el", "6.12/s390x"} {
		if _, err := l.Resolve(Wish{Kernels: []string{a}, Behaviours: words}); err != nil {
			t.Errorf("%s: %v", a, err)
		}
	}
	for _, a := range []string{"6.12/mips64el", "7.2/loong64"} {
		for _, w := range []string{"rootfs/pivot", "einval/", "order/"} {
			if _, err := l.Resolve(Wish{Kernels: []string{a}, Behaviours: []string{w}}); err != nil {
				t.Errorf("%s: %s: %v", a, w, err)
			}
		}
	}
}

// TestTell: a guest is told what it is asked for, and nothing if that is all; of a kernel whose architecture was not known
// before, the length of the list shows here.
func TestTell(t *testing.T) {
	l := open(t)
	p, err := l.Resolve(Wish{Kernels: []string{"7.0", "host"}, Behaviours: []string{"rootfs/pivot"}})
	if err != nil {
		t.Fatal(err)
	}
	job := func(name string) matrix.Job {
		a, err := l.Table.Arch(name)
		if err != nil {
			t.Fatal(err)
		}
		x, err := l.Table.Accel(slowest)
		if err != nil {
			t.Fatal(err)
		}
		return matrix.Job{VM: vm.Config{Arch: a, Accel: x}}
	}
	j := job("amd64")
	if err := p.tell(&j); err != nil || len(j.VM.Cmdline) != 1 || !strings.HasPrefix(j.VM.Cmdline[0], spec.AskedVariable+"=") {
		t.Errorf("the kernel is told %q, %v", j.VM.Cmdline, err)
	}
	if env, err := p.asked.environment(""); err != nil || !slices.Equal(env, j.VM.Cmdline) {
		t.Errorf("a program is told %q, %v, and a kernel %q", env, err, j.VM.Cmdline)
	}
	j = job("mips64el")
	j.VM.Cmdline = []string{strings.Repeat("x", 150)}
	if err := p.tell(&j); err == nil || !strings.Contains(err.Error(), "too long for the command line of kernels of mips64el") {
		t.Errorf("a list that is too long: %v", err)
	}
	all, err := l.Resolve(Wish{Kernels: []string{"7.0"}})
	if err != nil {
		t.Fatal(err)
	}
	j = job("amd64")
	if err := all.tell(&j); err != nil || len(j.VM.Cmdline) > 0 {
		t.Errorf("one that is asked for all is told %q, %v", j.VM.Cmdline, err)
	}
}
