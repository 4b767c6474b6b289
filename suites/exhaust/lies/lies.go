// Package lies holds kernels that answer wrongly where package exhaust looks, to test it with. The
// mounts and tasks beneath are real.
package lies

import (
	"os"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"pivotspec/suites/sandbox"
)

// Variable is the environment variable of the lying guest that names its lie.
const Variable = "pivotspec_lie"

// Lie is one way to answer wrongly.
type Lie struct {
	// Name is unique, Tasks how many bystanders the smallest world needs that shows it.
	Name  string
	Tasks int
	// Deadly says that the guest dies of it, so that worlds are not compared.
	Deadly bool

	errno func(unix.Errno) unix.Errno
	see   func(k *Kernel, name string, real sandbox.Place) sandbox.Place
	read  func(text string) string
}

// Table returns all lies.
func Table() []Lie {
	stays := func(link string, task bool) func(*Kernel, string, sandbox.Place) sandbox.Place {
		return func(k *Kernel, name string, real sandbox.Place) sandbox.Place {
			if strings.HasSuffix(name, link) && strings.HasPrefix(name, "caller") != task {
				return k.before[name]
			}
			return real
		}
	}
	return []Lie{
		{Name: "einval-for-ebusy", errno: func(e unix.Errno) unix.Errno {
			if e == unix.EBUSY {
				return unix.EINVAL
			}
			return e
		}},
		{Name: "success-without-pivot", errno: func(e unix.Errno) unix.Errno {
			if e == unix.EINVAL {
				return 0
			}
			return e
		}},
		{Name: "error-and-pivot", errno: func(e unix.Errno) unix.Errno {
			if e == 0 {
				return unix.EINVAL
			}
			return e
		}},
		{Name: "root-stays", see: stays("/root", false)},
		{Name: "cwd-stays", see: stays("/cwd", false)},
		{Name: "bystanders-root-stays", Tasks: 1, see: stays("/root", true)},
		{Name: "bystanders-cwd-stays", Tasks: 1, see: stays("/cwd", true)},
		{Name: "cwd-moves-on-failure", see: func(k *Kernel, name string, real sandbox.Place) sandbox.Place {
			if name == "caller/cwd" && k.last != 0 {
				real.Inode++
			}
			return real
		}},
		{Name: "mount-covered-on-failure", see: func(k *Kernel, name string, real sandbox.Place) sandbox.Place {
			if strings.HasPrefix(name, "mount ") && k.last != 0 {
				return k.before["caller/root"]
			}
			return real
		}},
		{Name: "old-root-gone", read: func(text string) string {
			lines := strings.SplitAfter(text, "\n")
			return strings.Join(slices.DeleteFunc(lines, func(l string) bool {
				f := strings.Fields(l)
				return len(f) > 4 && strings.Count(f[4], "/") > 1 && !strings.HasSuffix(f[4], "/proc")
			}), "")
		}},
		{Name: "dies", Deadly: true, errno: func(e unix.Errno) unix.Errno {
			if e == 0 {
				os.Exit(7)
			}
			return e
		}},
	}
}

// Kernel tells a lie. It is for one goroutine.
type Kernel struct {
	sandbox.Honest
	lie Lie
	// before holds what was seen of a world before its call, last what its call answered.
	before map[string]sandbox.Place
	called bool
	seen   bool // the caller's root was looked at since the call
	last   unix.Errno
}

// Find returns the kernel that tells the lie of that name.
func Find(name string) (*Kernel, bool) {
	for _, l := range Table() {
		if l.Name == name {
			return &Kernel{lie: l, before: map[string]sandbox.Place{}}, true
		}
	}
	return nil, false
}

// Begin implements [sandbox.Kernel].
func (k *Kernel) Begin(string) sandbox.Kernel { return k }

// Call implements [sandbox.Kernel].
func (k *Kernel) Call(c sandbox.Syscall, real func() unix.Errno) unix.Errno {
	e := real()
	if c.Name != "pivot_root" {
		return e
	}
	k.called, k.seen, k.last = true, false, e
	if k.lie.errno != nil {
		e = k.lie.errno(e)
	}
	return e
}

// See implements [sandbox.Kernel].
func (k *Kernel) See(name string, real sandbox.Place) sandbox.Place {
	if name == "caller/root" {
		if k.called && k.seen { // the next world begins
			k.called = false
		}
		k.seen = k.called
	}
	if !k.called {
		k.before[name] = real
		return real
	}
	if k.lie.see == nil {
		return real
	}
	return k.lie.see(k, name, real)
}

// Read implements [sandbox.Kernel].
func (k *Kernel) Read(_, real string) string {
	if k.lie.read == nil {
		return real
	}
	return k.lie.read(real)
}
