package exam

import (
	"errors"
	"fmt"
	"os"
	"path"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"pivotspec/suites/diagnose"
	"pivotspec/suites/sandbox"
)

// Trial is what came of doing as a diagnosis says, in a copy of the caller's mount namespace.
type Trial struct {
	// Mended are the causes whose mends were made, in order, and Stayed those that were named again
	// after that.
	Mended []string `json:"mended,omitempty"`
	Stayed []string `json:"stayed,omitempty"`
	// Left is the cause at which it ended because it has no mend of commands, "" if none was left;
	// then Real is what the call did in the end.
	Left string `json:"left,omitempty"`
	Real string `json:"real,omitempty"`
	// Failed is why it could not be tried.
	Failed string `json:"failed,omitempty"`
}

// try does as the diagnosis of a call says, until nothing is left to do, and makes the call. All that is
// mounted meanwhile goes with the thread on which it happens; directories that are made are removed.
func (k *Kernel) try(c sandbox.Syscall, d *diagnose.Diagnosis) *Trial {
	t := &trial{reader: k.shared.reader, first: d, call: diagnose.Call{New: argument(c.Args[0]), Old: argument(c.Args[1])}}
	folder := "thread-self"
	if c.Task != 0 {
		folder = strconv.Itoa(c.Task)
	}
	for _, f := range []struct {
		to    *int
		name  string
		flags int
	}{
		{&t.ns, "ns/mnt", unix.O_RDONLY}, {&t.root, "root", unix.O_PATH | unix.O_DIRECTORY}, {&t.cwd, "cwd", unix.O_PATH | unix.O_DIRECTORY},
	} {
		fd, err := unix.Openat(k.shared.reader.Proc(), folder+"/"+f.name, f.flags|unix.O_CLOEXEC, 0)
		if errors.Is(err, unix.EOPNOTSUPP) {
			return nil // where every look-up fails, and nobody else can stand
		}
		if err != nil {
			t.Failed = f.name + ": " + sandbox.ErrnoName(err)
			return &t.Trial
		}
		defer unix.Close(fd)
		*f.to = fd
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // never unlocked: the thread ends, and its namespace with it
		if err := t.stand(); err != nil {
			t.Failed = err.Error()
			return
		}
		t.run()
	}()
	<-done
	for _, m := range slices.Backward(t.made) {
		// A mount that may still be there is in no namespace of this thread.
		_ = unix.Unlinkat(m.dir, m.name, unix.AT_REMOVEDIR)
		unix.Close(m.dir)
	}
	return &t.Trial
}

type trial struct {
	Trial
	reader *diagnose.Reader
	call   diagnose.Call
	// first is the diagnosis of the call as it was made.
	first         *diagnose.Diagnosis
	ns, root, cwd int
	made          []made
}

// made is a directory that was made: its name in the folder of a descriptor.
type made struct {
	dir  int
	name string
}

// stand takes the thread where the caller stands, in a copy of its mount namespace.
func (t *trial) stand() error {
	for _, s := range []struct {
		what string
		err  func() error
	}{
		{"unshare(CLONE_FS)", func() error { return unix.Unshare(unix.CLONE_FS) }},
		{"setns", func() error { return unix.Setns(t.ns, unix.CLONE_NEWNS) }},
		{"fchdir", func() error { return unix.Fchdir(t.root) }},
		{"chroot", func() error { return unix.Chroot(".") }},
		{"fchdir", func() error { return unix.Fchdir(t.cwd) }},
		{"unshare(CLONE_NEWNS)", func() error { return unix.Unshare(unix.CLONE_NEWNS) }},
	} {
		if err := s.err(); err != nil {
			return fmt.Errorf("%s: %w", s.what, err)
		}
	}
	return nil
}

func (t *trial) run() {
	const most = 8
	for range most {
		d := t.first
		if len(t.Mended) > 0 {
			f, err := t.reader.Read(t.call)
			if err != nil {
				t.Failed = err.Error()
				return
			}
			d = diagnose.Diagnose(f)
		}
		if err := d.Mend(); err != nil {
			t.Failed = err.Error()
			return
		}
		if len(t.Mended) > 0 {
			last := t.Mended[len(t.Mended)-1]
			if slices.ContainsFunc(d.Causes, func(c diagnose.Cause) bool { return c.ID == last }) {
				t.Stayed = append(t.Stayed, last)
				return
			}
		}
		if len(d.Causes) == 0 {
			t.Real = OK
			if err := unix.PivotRoot(t.call.New.Text, t.call.Old.Text); err != nil {
				t.Real = sandbox.ErrnoName(err)
			}
			return
		}
		c := &d.Causes[0]
		i := slices.IndexFunc(c.Mends, func(m diagnose.Mend) bool {
			return !m.Instead && len(m.Run) > 0 && !slices.ContainsFunc(m.Run, func(r string) bool { return strings.Contains(r, "COMMAND") })
		})
		if i < 0 {
			t.Left = c.ID
			return
		}
		if err := t.mend(&c.Mends[i]); err != nil {
			t.Failed = fmt.Sprintf("mend %s: %v", c.ID, err)
			return
		}
		t.Mended = append(t.Mended, c.ID)
	}
	t.Failed = "there is no end to it: " + strings.Join(t.Mended, ", ")
}

// OK is the outcome of a call that succeeded.
const OK = diagnose.OK

// mend does as a mend says.
func (t *trial) mend(m *diagnose.Mend) error {
	if m.Outside {
		// The namespace's own root, and back.
		root, err := unix.Open("/", unix.O_PATH|unix.O_CLOEXEC, 0)
		if err != nil {
			return err
		}
		defer unix.Close(root)
		cwd, err := unix.Open(".", unix.O_PATH|unix.O_CLOEXEC, 0)
		if err != nil {
			return err
		}
		defer unix.Close(cwd)
		ns, err := unix.Openat(t.reader.Proc(), "thread-self/ns/mnt", unix.O_RDONLY|unix.O_CLOEXEC, 0)
		if err != nil {
			return err
		}
		defer unix.Close(ns)
		if err := unix.Setns(ns, unix.CLONE_NEWNS); err != nil {
			return fmt.Errorf("setns: %w", err)
		}
		defer func() {
			_ = unix.Fchdir(root)
			_ = unix.Chroot(".")
			_ = unix.Fchdir(cwd)
		}()
	}
	for _, r := range m.Run {
		if err := t.command(words(r)); err != nil {
			return fmt.Errorf("%s: %w", r, err)
		}
	}
	switch m.Enter {
	case "":
	case "chroot /.. COMMAND":
		if err := errors.Join(unix.Chroot("/.."), unix.Chdir("/")); err != nil {
			return fmt.Errorf("%s: %w", m.Enter, err)
		}
	default:
		return fmt.Errorf("%s: %w", m.Enter, errors.ErrUnsupported)
	}
	if m.Old != "" {
		t.call.Old = diagnose.Path{Text: m.Old}
	}
	return nil
}

// command runs one of the few commands that mends are made of, as the programs of their names do.
func (t *trial) command(w []string) error {
	switch {
	case len(w) == 2 && w[0] == "cd":
		return unix.Chdir(w[1])
	case len(w) == 3 && w[0] == "mkdir" && w[1] == "-p":
		return t.mkdir(w[2])
	case len(w) == 4 && w[0] == "mount" && w[1] == "--bind":
		return unix.Mount(w[2], w[3], "", unix.MS_BIND, "")
	case len(w) == 4 && w[0] == "mount" && w[1] == "--rbind":
		return unix.Mount(w[2], w[3], "", unix.MS_BIND|unix.MS_REC, "")
	case len(w) == 3 && w[0] == "mount" && w[1] == "--make-private":
		return unix.Mount("", w[2], "", unix.MS_PRIVATE, "")
	}
	return errors.ErrUnsupported
}

// mkdir makes a directory and those above it.
func (t *trial) mkdir(name string) error {
	if _, err := os.Stat(name); err == nil {
		return nil
	}
	dir := path.Dir(name)
	if dir != name {
		if err := t.mkdir(dir); err != nil {
			return err
		}
	}
	fd, err := unix.Open(dir, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	if err := unix.Mkdirat(fd, path.Base(name), 0o755); err != nil {
		unix.Close(fd)
		return err
	}
	t.made = append(t.made, made{fd, path.Base(name)})
	return nil
}

// words splits a command as a shell does, of whose quotes it knows the single ones.
func words(command string) []string {
	var out []string
	var b strings.Builder
	word, quoted, escaped := false, false, false
	for _, r := range command {
		switch {
		case escaped:
			b.WriteRune(r)
			escaped = false
		case r == '\'':
			word, quoted = true, !quoted
		case r == '\\' && !quoted:
			word, escaped = true, true
		case r == ' ' && !quoted:
			if word {
				out = append(out, b.String())
			}
			b.Reset()
			word = false
		default:
			b.WriteRune(r)
			word = true
		}
	}
	if word {
		out = append(out, b.String())
	}
	return out
}
