package model

import (
	"fmt"
	"strconv"
	"strings"
)

// Bounds of a world that can be built: they keep texts and descriptors few.
const (
	MaxMounts = 9
	MaxTasks  = 4
)

// The text of a world is a line of words:
//
//	0,shared                 the initramfs, where there is something to say about it
//	1@0:/a                   mount 1, a new tmpfs on the directory /a of mount 0
//	2=1:/a@1:/c,slave        mount 2, a bind mount of /a of mount 1 on /c of mount 1
//	3@foreign                mount 3, in no place of this namespace: foreign, detached or anonymous
//	root=1:/ cwd=1:/a        the caller's root and working directory
//	incapable                the caller lacks CAP_SYS_ADMIN
//	new=/a old=@2:/a/b       the arguments: a path, a descriptor, "!" for a bad address
//	task=1:/+1:/a            a bystander's root and working directory
//	other=1:/+1:/a           the same for one in another mount namespace
//
// Flags of a mount are its propagation, unless private, and "locked".

// String returns the world as [Parse] reads it.
func (w World) String() string {
	var b strings.Builder
	for i, m := range w.Mounts {
		var s strings.Builder
		if i > 0 {
			if int(m.FS) != i && m.State != Foreign {
				fmt.Fprintf(&s, "=%v", Pos{m.FS, m.Root})
			}
			if m.State == Attached {
				fmt.Fprintf(&s, "@%v", m.On)
			} else {
				s.WriteString("@" + m.State.String())
			}
		}
		if m.Propagation != Private {
			s.WriteString("," + m.Propagation.String())
		}
		if m.Locked {
			s.WriteString(",locked")
		}
		if s.Len() > 0 {
			fmt.Fprintf(&b, "%d%s ", i, s.String())
		}
	}
	fmt.Fprintf(&b, "root=%v cwd=%v ", w.Root, w.Cwd)
	if w.Incapable {
		b.WriteString("incapable ")
	}
	fmt.Fprintf(&b, "new=%v old=%v", w.New, w.Old)
	for _, t := range w.Tasks {
		kind := "task"
		if t.Other {
			kind = "other"
		}
		fmt.Fprintf(&b, " %s=%v+%v", kind, t.Root, t.Cwd)
	}
	return b.String()
}

// String returns the place as "MOUNT:DIRECTORY".
func (p Pos) String() string {
	switch p.Mount {
	case None:
		return "nowhere"
	case Elsewhere:
		return "elsewhere"
	case Nullfs:
		return "nullfs:" + p.Dir.String()
	}
	return strconv.Itoa(int(p.Mount)) + ":" + p.Dir.String()
}

// String returns the argument as the text of a world has it.
func (a Arg) String() string {
	switch a.Kind {
	case Descriptor:
		return "@" + a.At.String()
	case BadAddress:
		return "!"
	}
	return a.Path
}

// SyntaxError says what in a world's text cannot be read or cannot be.
type SyntaxError struct {
	Word, Want string
}

func (e *SyntaxError) Error() string {
	return fmt.Sprintf("world: %.60q: want %s", e.Word, e.Want)
}

// Parse reads the text of a world and makes sure that it can be: every place exists, every mount
// can be made where it is. Its error is a *[SyntaxError].
func Parse(text string) (World, error) {
	w := World{Mounts: []Mount{{On: Pos{None, Top}}}}
	seen := map[string]bool{}
	for _, word := range strings.Fields(text) {
		var err error
		key, value, ok := strings.Cut(word, "=")
		switch {
		case word[0] >= '0' && word[0] <= '9':
			err = w.parseMount(word, seen)
		case word == "incapable":
			w.Incapable = true
		case !ok:
			err = &SyntaxError{word, "a mount, root=, cwd=, new=, old=, task=, other= or incapable"}
		case key == "task" || key == "other":
			root, cwd, ok := strings.Cut(value, "+")
			t := Task{Other: key == "other"}
			if !ok {
				err = &SyntaxError{word, "two places with a + between"}
			} else if t.Root, err = parsePos(root); err == nil {
				t.Cwd, err = parsePos(cwd)
			}
			w.Tasks = append(w.Tasks, t)
		case seen[key]:
			err = &SyntaxError{word, "each but task= and other= once"}
		case key == "root":
			w.Root, err = parsePos(value)
		case key == "cwd":
			w.Cwd, err = parsePos(value)
		case key == "new":
			w.New, err = parseArg(value)
		case key == "old":
			w.Old, err = parseArg(value)
		default:
			err = &SyntaxError{word, "a mount, root=, cwd=, new=, old=, task=, other= or incapable"}
		}
		if err != nil {
			return World{}, err
		}
		if ok && word[0] > '9' {
			seen[key] = true
		}
	}
	for _, key := range []string{"root", "cwd", "new", "old"} {
		if !seen[key] {
			return World{}, &SyntaxError{text, key + "= in it"}
		}
	}
	if err := w.Check(); err != nil {
		return World{}, err
	}
	return w, nil
}

func (w *World) parseMount(word string, seen map[string]bool) error {
	head, flags, flagged := strings.Cut(word, ",")
	m := Mount{On: Pos{None, Top}}
	number, where, attached := strings.Cut(head, "@")
	number, source, bind := strings.Cut(number, "=")
	switch n := strconv.Itoa(len(w.Mounts)); {
	case number == "0" && !attached && !bind && flagged && !seen["0"] && len(w.Mounts) == 1:
		seen["0"] = true
	case number != n || !attached:
		return &SyntaxError{word, "mount " + n + " next, as " + n + "@PLACE"}
	}
	m.FS = int8(len(w.Mounts))
	if number == "0" {
		m.FS = 0
	}
	if bind {
		p, err := parsePos(source)
		if err != nil {
			return err
		}
		if int(p.Mount) >= len(w.Mounts) {
			return &SyntaxError{word, "a mount before it behind the ="}
		}
		m.FS, m.Root = p.Mount, p.Dir
	}
	switch where {
	case "":
	case "foreign":
		m.State, m.FS = Foreign, 0
	case "detached":
		m.State = Detached
	case "anonymous":
		m.State = Anonymous
	default:
		var err error
		if m.On, err = parsePos(where); err != nil {
			return err
		}
	}
	if bind && m.State != Attached {
		return &SyntaxError{word, "a bind mount to be attached"}
	}
	if number != "0" && where == "" {
		return &SyntaxError{word, "a place behind the @"}
	}
	if flagged {
		for f := range strings.SplitSeq(flags, ",") {
			switch {
			case f == "locked" && !m.Locked:
				m.Locked = true
			case f == Shared.String() && m.Propagation == Private:
				m.Propagation = Shared
			case f == Slave.String() && m.Propagation == Private:
				m.Propagation = Slave
			case f == Unbindable.String() && m.Propagation == Private:
				m.Propagation = Unbindable
			default:
				return &SyntaxError{word, "one of shared, slave, unbindable, and locked, behind a comma"}
			}
		}
	}
	if number == "0" {
		w.Mounts[0] = m
		return nil
	}
	w.Mounts = append(w.Mounts, m)
	return nil
}

func parsePos(s string) (Pos, error) {
	bad := &SyntaxError{s, "a place, MOUNT:DIRECTORY, with one of the directories / /a /a/b /c /x"}
	if len(s) < 3 || s[0] < '0' || s[0] > '9' || s[1] != ':' {
		return Pos{}, bad
	}
	for d := Top; d < numDirs; d++ {
		if s[2:] == d.String() {
			return Pos{int8(s[0] - '0'), d}, nil
		}
	}
	return Pos{}, bad
}

// maxPath bounds the length of a path in a world, in bytes.
const maxPath = 64

func parseArg(s string) (Arg, error) {
	switch {
	case s == "!":
		return Arg{Kind: BadAddress}, nil
	case strings.HasPrefix(s, "@"):
		p, err := parsePos(s[1:])
		return Arg{Kind: Descriptor, At: p}, err
	case len(s) > maxPath || strings.Trim(s, "abcfn./") != "":
		return Arg{}, &SyntaxError{s, "a path of the letters a, b, c, f and n, dots and slashes"}
	}
	return Arg{Path: s}, nil
}

// Check says why the world cannot be, or nil.
func (w *World) Check() error {
	bad := func(what any, want string) error { return &SyntaxError{fmt.Sprint(what), want} }
	if len(w.Mounts) > MaxMounts || len(w.Tasks) > MaxTasks {
		return bad(w, fmt.Sprintf("at most %d mounts and %d tasks", MaxMounts, MaxTasks))
	}
	for i := range w.Mounts {
		if err := w.checkMount(i); err != nil {
			return err
		}
	}
	places := []Pos{w.Root, w.Cwd}
	for _, t := range w.Tasks {
		places = append(places, t.Root, t.Cwd)
	}
	for _, a := range []Arg{w.New, w.Old} {
		if a.Kind != Descriptor {
			continue
		}
		places = append(places, a.At)
	}
	for _, p := range places {
		if !w.Has(p) {
			return bad(p, "a place that exists in this world: "+fmt.Sprint(w.Places()))
		}
	}
	if (w.New.Kind == Descriptor || w.Old.Kind == Descriptor) && !w.HasProc(w.Root) && !w.HasProc(w.Cwd) {
		return bad(w, "root or cwd at the top of a filesystem, to name a descriptor through /proc")
	}
	return nil
}

// checkMount says why mount i cannot be made, or nil.
func (w *World) checkMount(i int) error {
	bad := func(want string) error { return &SyntaxError{fmt.Sprintf("mount %d of %v", i, *w), want} }
	locked, m := w.OwnUserNS(), &w.Mounts[i]
	if m.Locked && m.Propagation == Slave {
		return bad("it not to be both locked and slave")
	}
	if i == 0 {
		if m.Locked != locked {
			return bad("it to be locked exactly if another is")
		}
		return nil
	}
	if m.State != Attached {
		if m.Locked || m.Propagation != Private || locked {
			return bad("it to be private, and no locked mounts beside it")
		}
		return nil
	}
	// What is inherited is there before all that is not.
	before := *w
	if m.Locked {
		before.Mounts = w.Mounts[:i]
	}
	if int(m.On.Mount) >= i || !before.Has(m.On) || m.On.Dir == X || w.Mounts[m.On.Mount].State != Attached {
		return bad("it on a directory of an attached mount before it")
	}
	parent := &w.Mounts[m.On.Mount]
	for j := range w.Mounts[:i] {
		switch o := &w.Mounts[j]; {
		case o.On == m.On:
			return bad("it on a place where nothing is mounted yet")
		case m.Locked && o.Locked && o.On.Mount == m.On.Mount && o.On.Dir.Below(m.On.Dir):
			return bad("it not to cover another locked mount")
		}
	}
	if m.Locked && (!parent.Locked || parent.Root == m.On.Dir || m.Root != Top || int(m.FS) != i) {
		return bad("it, being locked, to be a tmpfs on a directory below the root of a locked mount")
	}
	if int(m.FS) == i {
		return nil
	}
	if int(m.FS) > i || w.Mounts[m.FS].FS != m.FS || w.Mounts[m.FS].State != Attached || !w.Has(Pos{m.FS, m.Root}) {
		return bad("it to show a directory of an attached mount before it that is no bind mount")
	}
	if w.Mounts[m.FS].Locked {
		for j := range w.Mounts {
			if o := &w.Mounts[j]; m.Root == Top || o.Locked && o.On.Mount == m.FS && o.On.Dir.Below(m.Root) {
				return bad("it not to show what a locked mount covers")
			}
		}
	}
	return nil
}
