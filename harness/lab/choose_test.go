package lab

import (
	"slices"
	"strings"
	"testing"
)

func TestChoose(t *testing.T) {
	l := open(t)
	for _, c := range []struct {
		name string
		wish Wish
		want []string
	}{
		{"an ABI behind the architecture", Wish{Kernels: []string{"6.12/amd64/i386"}}, []string{"6.12-amd64-i386"}},
		{"the kernel's own ABI by its name", Wish{Kernels: []string{"6.12/amd64/amd64", "6.12"}}, []string{"6.12-amd64"}},
		{"both ABIs of one kernel", Wish{Kernels: []string{"6.12"}, Archs: []string{"amd64", "amd64/i386"}}, []string{"6.12-amd64", "6.12-amd64-i386"}},
		{"a flavour", Wish{Kernels: []string{"6.12-arm64-16k/arm64", "7.3-rt-amd64"}}, []string{"6.12-arm64-16k", "7.3-rt-amd64"}},
		{"the flavour that is meant by the series", Wish{Kernels: []string{"6.1/s390x", "6.1-s390x/s390x"}}, []string{"6.1-s390x"}},
		{"an architecture in the name wins", Wish{Kernels: []string{"6.12/s390x"}, Archs: []string{"amd64/i386"}}, []string{"6.12-s390x"}},
		{"a series of all architectures", Wish{Kernels: []string{"6.5"}, Archs: []string{AllArchs}}, []string{"6.5-i386"}},
		{"an architecture and all", Wish{Kernels: []string{"6.5"}, Archs: []string{"i386", AllArchs}}, []string{"6.5-i386"}},
		{"the default matrix of an ABI", Wish{Archs: []string{"riscv64/riscv64"}}, []string{"6.12-riscv64", "7.2-riscv64"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, err := l.Resolve(c.wish)
			if err != nil {
				t.Fatal(err)
			}
			if got := jobNames(p.Identify(t.Context())); !slices.Equal(got, c.want) || p.Len() != len(c.want) {
				t.Errorf("got %q (%d), want %q", got, p.Len(), c.want)
			}
		})
	}
	for _, c := range []struct {
		wish Wish
		says string
	}{
		{Wish{Archs: []string{"s390x/amd64"}}, `unknown ABI "amd64"; known: s390x`},
		{Wish{Kernels: []string{"6.12/amd64/x32"}}, `unknown ABI "x32"; known: amd64, i386`},
		{Wish{Kernels: []string{"6.12/amd64/i386/amd64"}}, `unknown kernel`},
		{Wish{Kernels: []string{"9.9"}, Archs: []string{AllArchs}}, `unknown kernel "9.9"`},
	} {
		if _, err := l.Resolve(c.wish); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%+v: %v", c.wish, err)
		}
	}
}

// TestAllArchs: the matrix of all architectures has every architecture and ABI of the table, and
// the default matrices as parts.
func TestAllArchs(t *testing.T) {
	l := open(t)
	p, err := l.Resolve(Wish{Archs: []string{AllArchs}})
	if err != nil {
		t.Fatal(err)
	}
	jobs := p.Identify(t.Context())
	seen := map[string]bool{}
	for _, j := range jobs {
		seen[j.Arch+"/"+j.ABI] = true
	}
	for _, name := range l.Table.Names() {
		a, err := l.Table.Arch(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, b := range a.ABIs {
			if !seen[name+"/"+b.Name] {
				t.Errorf("no cell of %s programs on %s", b.Name, name)
			}
		}
		d, err := l.Resolve(Wish{Archs: []string{name}})
		if err != nil {
			t.Fatal(err)
		}
		for _, cell := range jobNames(d.Identify(t.Context())) {
			if !slices.Contains(jobNames(jobs), cell) {
				t.Errorf("%s of the default matrix of %s is not among all", cell, name)
			}
		}
	}
	if len(jobs) <= 30 {
		t.Errorf("%d cells, want over thirty", len(jobs))
	}
}
