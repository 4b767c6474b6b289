package lab

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pivotspec/harness/arch"
	"pivotspec/harness/backend"
	"pivotspec/harness/lab/labtest"
	"pivotspec/harness/matrix"
	"pivotspec/kernels"
)

// open opens an empty cache.
func open(t *testing.T) *Lab {
	t.Helper()
	l, err := Open(filepath.Join(t.TempDir(), "cache"), "")
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// write makes a file in a new folder and returns its path.
func write(t *testing.T, name string, content []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, content, 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

func jobNames(jobs []matrix.Job) (out []string) {
	for _, j := range jobs {
		out = append(out, j.Name)
	}
	return out
}

func TestResolve(t *testing.T) {
	l := open(t)
	file := write(t, "kernel", labtest.Kernel("7.0.9-test"))
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(file, link); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		wish Wish
		want []string
	}{
		{"in the order given", Wish{Kernels: []string{"7.0", "6.12"}}, []string{"7.0-amd64", "6.12-amd64"}},
		{"one kernel by all its names", Wish{Kernels: []string{"7.0", "7.0-cloud-amd64", "7.0/amd64", "7.0"}}, []string{"7.0-amd64"}},
		{"an architecture twice", Wish{Kernels: []string{"7.0"}, Archs: []string{"amd64", "amd64"}}, []string{"7.0-amd64"}},
		{"one file by all its names", Wish{Kernels: []string{file, file + "/../kernel", link}}, []string{"7.0.9-test-amd64"}},
		{"files last", Wish{Kernels: []string{file, "7.0"}}, []string{"7.0-amd64", "7.0.9-test-amd64"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, err := l.Resolve(c.wish)
			if err != nil {
				t.Fatal(err)
			}
			jobs := p.Identify(t.Context())
			if got := jobNames(jobs); !slices.Equal(got, c.want) || p.Len() != len(c.want) {
				t.Errorf("got %q (%d), want %q", got, p.Len(), c.want)
			}
		})
	}
	p, err := l.Resolve(Wish{})
	if err != nil || p.Len() != len(l.Catalogue.Default("")) {
		t.Errorf("no kernel named: %d, %v; want the default matrix", p.Len(), err)
	}
	if _, err := os.Stat(l.Dir); err == nil {
		t.Error("the cache was touched")
	}
}

func TestResolveErrors(t *testing.T) {
	l := open(t)
	for _, c := range []struct {
		wish Wish
		as   any
		says string
	}{
		{Wish{Kernels: []string{"7.00"}}, new(*kernels.UnknownError), "7.0"},
		{Wish{Archs: []string{"vax"}}, new(*arch.UnknownError), "vax"},
		{Wish{Accel: "warp"}, new(*arch.UnknownError), "warp"},
		{Wish{Guest: "/nowhere"}, new(error), "/nowhere cannot be used: no such file or directory;"},
	} {
		if _, err := l.Resolve(c.wish); err == nil || !errors.As(err, c.as) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%+v: %v", c.wish, err)
		}
	}
}

func TestIdentify(t *testing.T) {
	l := open(t)
	p, err := l.Resolve(Wish{Kernels: []string{
		write(t, "a", labtest.Kernel("7.0.9-test")), write(t, "b", labtest.Kernel("7.0.9-test")),
		write(t, "7.0.9-test", []byte("no kernel, and no wish to be one")), "/nowhere",
	}})
	if err != nil {
		t.Fatal(err)
	}
	jobs := p.Identify(t.Context())
	want := []string{"7.0.9-test-amd64", "7.0.9-test-amd64-2", "7.0.9-test-unknown", "nowhere-unknown"}
	if got := jobNames(jobs); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	for i, j := range jobs {
		if bad := j.Err != nil; bad != (i > 1) {
			t.Errorf("%s: %v", j.Name, j.Err)
		}
	}
	if jobs[0].Series != "7.0" || jobs[0].Arch != "amd64" {
		t.Errorf("%+v", jobs[0])
	}
}

func TestUnique(t *testing.T) {
	var jobs []matrix.Job
	for _, n := range []string{"a", "a", "a-2", "b", "a"} {
		jobs = append(jobs, matrix.Job{Name: n})
	}
	unique(jobs)
	if got, want := jobNames(jobs), []string{"a", "a-2", "a-2-2", "b", "a-3"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestReadyInterrupted: whatever the end of ctx cuts short says so, and nothing else.
func TestReadyInterrupted(t *testing.T) {
	l := open(t)
	p, err := l.Resolve(Wish{Kernels: []string{"7.0", write(t, "k", labtest.Kernel("7.0.9-test"))}})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	stop()
	p.Identify(ctx)
	for _, j := range p.Ready(ctx, Watch{}) {
		if !errors.Is(j.Err, backend.ErrNotBegun) {
			t.Errorf("%s: %v", j.Name, j.Err)
		}
	}
}

// TestReady: jobs of one architecture share an accelerator, which is looked for and told of
// once, and an image.
func TestReady(t *testing.T) {
	// A QEMU that fails at once. So kvm does not work, which is not remembered: the next
	// time it may.
	qemu := write(t, "qemu-system-x86_64", []byte("#!/bin/sh\necho >>\"$STARTS\"\nexit 1\n"))
	t.Setenv("PATH", filepath.Dir(qemu)+":"+os.Getenv("PATH"))
	starts := filepath.Join(t.TempDir(), "starts")
	t.Setenv("STARTS", starts)
	l := open(t)
	p, err := l.Resolve(Wish{
		Kernels: []string{write(t, "a", labtest.Kernel("7.0.1-test")), write(t, "b", labtest.Kernel("7.0.2-test"))},
		Guest:   write(t, "guest", labtest.Guest()),
	})
	if err != nil {
		t.Fatal(err)
	}
	p.Identify(t.Context())
	var notes, doing []string
	jobs := p.Ready(t.Context(), Watch{
		Note:  func(s string) { notes = append(notes, s) },
		Doing: func(s string) { doing = append(doing, s) },
	})
	for _, j := range jobs {
		if j.Err != nil {
			t.Fatalf("%s: %v", j.Name, j.Err)
		}
		if j.VM.Accel.Name != "tcg" || j.VM.QEMU != qemu || j.VM.Kernel != j.Kernel.Boot || j.ABI != "amd64" {
			t.Errorf("%+v", j)
		}
	}
	if jobs[0].VM.Initramfs != jobs[1].VM.Initramfs {
		t.Error("the image was made twice")
	}
	// Neither kernel has modules, for the same reason.
	if a, b := jobs[0].VM.Archives, jobs[1].VM.Archives; len(a) != 1 || !slices.Equal(a, b) {
		t.Errorf("archives with the kernels' modules: %q and %q", a, b)
	}
	if len(notes) != 1 || !strings.Contains(notes[0], "kvm does not work for amd64") || !strings.HasSuffix(notes[0], "; using tcg") {
		t.Errorf("notes: %q", notes)
	}
	if !slices.Contains(doing, "building the guest for amd64") {
		t.Errorf("doing: %q", doing)
	}
	if b, err := os.ReadFile(starts); err == nil && len(b) > 1 {
		t.Errorf("kvm was tried %d times", len(b))
	}
}

// TestTake: a kernel of which nothing came home, not even an error, runs nothing; another name of it is
// the same kernel.
func TestTake(t *testing.T) {
	l := open(t)
	p, err := l.Resolve(Wish{Kernels: []string{"7.0", "6.12", "6.1"}})
	if err != nil {
		t.Fatal(err)
	}
	p.Identify(t.Context())
	other := p.targets[0].entry
	other.Name = "7.0-by-another-name"
	gone := errors.New("gone")
	p.take(t.Context(), []kernels.Result{
		{Entry: other, Kernel: kernels.Kernel{Boot: "vmlinux"}},
		{Entry: p.targets[2].entry, Err: gone},
	})
	for i, want := range []error{nil, errNoResult, gone} {
		if j := p.jobs[i]; !errors.Is(j.Err, want) || (j.Kernel.Boot != "") != (want == nil) {
			t.Errorf("%s: %v, kernel %q, want %v", j.Name, j.Err, j.Kernel.Boot, want)
		}
	}
}
