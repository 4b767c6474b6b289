package sandbox

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"pivotspec/suites/programs"
	"pivotspec/suites/record"
)

// Program is a real program that the image carries, such as pivot_root(8).
type Program struct {
	programs.Program
	world *World
	files []programFile
	// args come before all others: the applet of a program that is many.
	args []string
}

// programFile is one file that a program needs.
type programFile struct {
	path    string // absolute
	content []byte
	link    string
}

// Program returns a program of the image with its files, so that it can be put into other roots; args
// are the first of its arguments. A program that the image does not carry ends the spec as
// unsupported, with the reason. It has to be called before the world leaves its first root.
func (w *World) Program(name string, args ...string) Program {
	b, err := os.ReadFile(programs.List)
	if errors.Is(err, os.ErrNotExist) {
		w.Unsupported("the image carries no %s", name)
	}
	w.quiet("read "+programs.List, err)
	list, err := programs.Parse(b)
	w.quiet("read "+programs.List, err)
	found, ok := programs.Find(list, name)
	switch {
	case !ok:
		w.Unsupported("the image carries no %s", name)
	case found.Absent != "":
		w.Unsupported("the program %s is not to be had: %s", name, found.Absent)
	}
	p := Program{Program: found, world: w, args: args}
	for _, f := range found.Files {
		file := programFile{path: f}
		if file.link, err = os.Readlink(f); err != nil {
			file.content, err = os.ReadFile(f)
		}
		w.quiet("read "+f, err)
		p.files = append(p.files, file)
	}
	return p
}

// ProgramAt returns a program that is not one of the image's, by its path, relative or not.
func (w *World) ProgramAt(path string) Program {
	return Program{world: w, Program: programs.Program{Name: path, Path: path}}
}

// String returns what a user types.
func (p Program) String() string { return strings.Join(append([]string{p.Path}, p.args...), " ") }

// Install puts the program and all that it needs below a folder, at the same paths.
func (p Program) Install(dir string) {
	p.world.must(fmt.Sprintf("cp -a --parents %s (and its libraries) %s", p.Path, dir), p.install(dir))
}

func (p Program) install(dir string) error {
	for _, f := range p.files {
		at := path.Join(dir, f.path)
		if _, err := os.Lstat(at); err == nil {
			continue // another program's library
		}
		if err := os.MkdirAll(path.Dir(at), 0o755); err != nil {
			return err
		}
		if f.link != "" {
			if err := os.Symlink(f.link, at); err != nil {
				return err
			}
		} else if err := os.WriteFile(at, f.content, 0o755); err != nil {
			return err
		}
	}
	return nil
}

// Facts about a program that was run.
const (
	// ExitStatus is the fact of a program's exit status, a decimal number, or the signal
	// that killed it.
	ExitStatus = "exit-status"
	// Says is the fact of the text of the errno with which its message ends, [NoErrno] if
	// it ends with none, [Nothing] if there is no message.
	Says = "says"
	// NoErrno is the fact [Says] of a message that names no errno.
	NoErrno = "no errno"
)

// ran is what a program did.
type ran struct {
	exit string // decimal, or a signal's name
	said string
}

// errnoText returns the text of the errno with which the first line of what the program said ends
// that ends with one.
func (r ran) errnoText() (text string, errno unix.Errno) {
	if strings.TrimSpace(r.said) == "" {
		return Nothing, 0
	}
	for line := range strings.Lines(r.said) {
		text := strings.TrimSpace(line[strings.LastIndex(line, ": ")+1:])
		for e := unix.Errno(1); e < maxErrno; e++ {
			// strerror(3) begins with a capital letter.
			if strings.EqualFold(e.Error(), text) {
				return text, e
			}
		}
	}
	return NoErrno, 0
}

// maxErrno is above every errno of every architecture that has a text.
const maxErrno = 1200

// outcome is that of the system call under test as far as the program tells it: the errno that it
// names, else its exit status.
func (r ran) outcome() string {
	if r.exit == "0" {
		return record.OK
	}
	if _, e := r.errnoText(); e != 0 {
		return ErrnoName(e)
	}
	return "exit status " + r.exit
}

// start starts the program as a child of the spec's thread, with that thread's root, cwd and
// namespaces, and returns the ends of its standard input, output and error that are the spec's.
func (p Program) start(flags uintptr, args []string) (proc *os.Process, stdin *os.File, stdout, stderr *os.File) {
	w := p.world
	var theirs, ours [3]*os.File
	for i := range theirs {
		r, wr, err := os.Pipe()
		w.quiet("pipe", err)
		theirs[i], ours[i] = wr, r
		if i == 0 {
			theirs[i], ours[i] = r, wr
		}
		w.Defer(func() { r.Close(); wr.Close() })
	}
	proc, err := os.StartProcess(p.Path, slices.Concat([]string{path.Base(p.Path)}, p.args, args), &os.ProcAttr{
		Env: []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C"}, Files: theirs[:],
		Sys: &syscall.SysProcAttr{Cloneflags: flags},
	})
	for _, f := range theirs {
		f.Close()
	}
	w.quiet("run "+p.Path, err)
	deadline := time.Now().Add(patience)
	for _, f := range ours {
		w.quiet("set a time limit", f.SetDeadline(deadline))
	}
	return proc, ours[0], ours[1], ours[2]
}

// wait returns what a program that ends by itself did; said is what it said.
func (p Program) wait(proc *os.Process, said string) ran {
	watchdog := time.AfterFunc(patience, func() { _ = proc.Kill() })
	defer watchdog.Stop()
	st, err := proc.Wait()
	p.world.quiet("wait for "+p.Path, err)
	ws, ok := st.Sys().(syscall.WaitStatus)
	r := ran{said: said, exit: strconv.Itoa(st.ExitCode())}
	if ok && ws.Signaled() {
		r.exit = unix.SignalName(ws.Signal())
	}
	return r
}

// run runs the program to its end.
func (p Program) run(args ...string) ran {
	proc, stdin, stdout, stderr := p.start(0, args)
	stdin.Close()
	said, err := io.ReadAll(stderr)
	if err == nil {
		var more []byte
		more, err = io.ReadAll(stdout)
		said = append(said, more...)
	}
	if err != nil {
		_ = proc.Kill()
	}
	r := p.wait(proc, string(said))
	p.world.quiet("read what "+p.Path+" says", err)
	p.noteRun(r, args)
	return r
}

func (p Program) noteRun(r ran, args []string) {
	said := ""
	if s := strings.TrimSpace(r.said); s != "" {
		said = ", " + strconv.Quote(s[:min(len(s), 200)])
	}
	p.world.note(fmt.Sprintf("%s = exit status %s%s", strings.Join(append([]string{p.String()}, args...), " "), r.exit, said))
}

// Told is what came of a call that a program made.
type Told struct {
	Call
	// Exit and Says are the values of the facts [ExitStatus] and [Says].
	Exit, Says string
}

// PivotRootBy has pivot_root(8) make the call, and looks what that did to the spec's thread, whose
// root the program shares. The outcome is the errno that it names.
func (w *World) PivotRootBy(p Program, newRoot, putOld string) Told {
	target, targetErr := w.Place(newRoot)
	seen := w.witness(w.tid)
	watch := w.watch(w.tid, target, targetErr == nil)
	var r ran
	errno := w.kernel.Call(Syscall{Name: "pivot_root", By: p.Name}, func() unix.Errno {
		r = p.run(newRoot, putOld)
		_, e := r.errnoText()
		if r.exit != "0" && e == 0 {
			w.Broken("%s failed without an errno: exit status %s, %q", p, r.exit, r.said)
		}
		return e
	})
	seen()
	says, _ := r.errnoText()
	return Told{
		Call: Call{Outcome: ErrnoName(errno), Effect: watch()},
		Exit: w.kernel.Tell("exit status of "+p.Name, r.exit), Says: w.kernel.Tell("message of "+p.Name, says),
	}
}

// ObserveTold is [World.Observe] with what the program told as facts.
func (w *World) ObserveTold(t Told) {
	w.Fact(ExitStatus, t.Exit)
	w.Fact(Says, t.Says)
	w.Observe(t.Call)
}

// Landing is where a switch_root(8) led.
type Landing struct {
	Told
	// PID is the process that became the new root's init, 0 if none did.
	PID int
}

// landed is what the new root's init says.
const landed = "landed"

// SwitchRootBy has switch_root(8) go to a new root, as PID 1 of a PID namespace if flags have
// CLONE_NEWPID, and waits until the new root's init, a shell, stands or the program has failed, and
// all that it does besides is done. shell is the program that is to be init; it has to be there. The
// outcome is OK if init stands, else the errno that switch_root names or its exit status.
func (w *World) SwitchRootBy(p Program, flags int, newRoot string, shell Program) Landing {
	// Closing standard error tells that nothing but what switch_root left behind still has it.
	script := "exec 2>&-; echo " + landed + "; read line"
	args := slices.Concat([]string{newRoot, shell.Path}, shell.args, []string{"sh", "-c", script})
	proc, _, stdout, stderr := p.start(uintptr(flags), args)
	stood := false
	w.Defer(func() {
		if stood {
			_ = proc.Kill()
			_, _ = proc.Wait()
		}
	})
	// What deletes the old root's files may still do so when init stands, and holds this open.
	said, err := io.ReadAll(stderr)
	buf := make([]byte, len(landed)+1)
	n := 0
	if err == nil {
		n, err = io.ReadFull(stdout, buf)
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			err = nil
		}
	}
	if err != nil {
		_ = proc.Kill()
		_, _ = proc.Wait()
		w.Broken("%s: neither failed nor led to a new init within %v: %v", p, patience, err)
	}
	l := Landing{}
	var r ran
	if string(buf[:n]) == landed+"\n" {
		stood, l.PID = true, proc.Pid
		r = ran{exit: "0", said: string(said)}
	} else {
		r = p.wait(proc, string(said)+string(buf[:n]))
		if r.exit == "0" {
			w.Broken("%s ended with success and without a new init", p)
		}
	}
	p.noteRun(r, args)
	says, _ := r.errnoText()
	l.Outcome = w.kernel.Tell("outcome of "+p.Name, r.outcome())
	l.Says = w.kernel.Tell("message of "+p.Name, says)
	l.Exit = r.exit
	if stood {
		l.Exit = "none: it is the new init"
	}
	l.Exit = w.kernel.Tell("exit status of "+p.Name, l.Exit)
	return l
}

// Names returns the names in an open folder, sorted and joined, [Nothing] if it has none.
func (w *World) Names(dir int) string {
	fd, err := unix.Openat(dir, ".", unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return ErrnoName(err)
	}
	f := os.NewFile(uintptr(fd), ".")
	defer f.Close()
	names, err := f.Readdirnames(0)
	w.quiet("list a folder", err)
	slices.Sort(names)
	text := Nothing
	if len(names) > 0 {
		text = strings.Join(names, " ")
	}
	return w.kernel.Tell("names in a folder", text)
}

// WriteFile makes a file.
func (w *World) WriteFile(path, content string) {
	w.must("echo > "+path, os.WriteFile(path, []byte(content), 0o755))
}

// Remove removes a file.
func (w *World) Remove(path string) { w.must("rm "+path, unix.Unlink(path)) }

// KeepPrograms has the image's programs put back when the spec ends, however it ends: what it
// does deletes them.
func (w *World) KeepPrograms() {
	list, err := os.ReadFile(programs.List)
	w.quiet("read "+programs.List, err)
	known, err := programs.Parse(list)
	w.quiet("read "+programs.List, err)
	var all []Program
	for _, p := range known {
		if p.Absent == "" {
			all = append(all, w.Program(p.Name))
		}
	}
	w.Defer(func() {
		for _, p := range all {
			_ = p.install("/")
		}
		_ = os.WriteFile(programs.List, list, 0o644)
	})
}
