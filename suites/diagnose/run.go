package diagnose

import (
	"encoding/json"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Exit statuses of a diagnosis.
const (
	// WouldSucceed: the call would succeed, as far as can be seen.
	WouldSucceed = 0
	// WouldFail: the call would fail.
	WouldFail = 1
	// CannotTell: too little could be found out to say which.
	CannotTell = 3
)

// Options are how a diagnosis is asked for and printed.
type Options struct {
	// New and Old are new_root and put_old.
	New, Old string
	// Task is the ID of the task that would make the call, 0 for the one that asks.
	Task int
	// Verbose adds what was looked at, JSON prints everything as one document instead.
	Verbose, JSON bool
}

// Run diagnoses a call, prints the diagnosis and returns the exit status. An error is one of [Open]
// or [Reader.Read], or of out.
func Run(out io.Writer, o Options) (int, error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	r, err := Open()
	if err != nil {
		return CannotTell, err
	}
	defer r.Close()
	f, err := r.Read(Call{Task: o.Task, New: Path{Text: o.New}, Old: Path{Text: o.Old}})
	if err != nil {
		return CannotTell, err
	}
	d := Diagnose(f)
	if err := d.Mend(); err != nil {
		return CannotTell, err
	}
	if o.JSON {
		e := json.NewEncoder(out)
		e.SetEscapeHTML(false)
		e.SetIndent("", "  ")
		return d.Status(), e.Encode(d)
	}
	_, err = io.WriteString(out, d.Text(o.Verbose))
	return d.Status(), err
}

// Status is the exit status that goes with the diagnosis. That another task's Landlock domain cannot
// be seen does not count, or there would be nothing to say of any other task.
func (d *Diagnosis) Status() int {
	switch {
	case d.Errno != "":
		return WouldFail
	case slices.ContainsFunc(d.Doubts, func(c Cause) bool { return c.ID != "landlock" }):
		return CannotTell
	}
	return WouldSucceed
}

// Text is the diagnosis for people.
func (d *Diagnosis) Text(verbose bool) string {
	var b strings.Builder
	f := d.Facts
	fmt.Fprintf(&b, "pivot_root(%q, %q) would ", f.New.Path, f.Old.Path)
	switch {
	case d.Errno == "" && d.Sure:
		b.WriteString("succeed\n")
	case d.Errno == "":
		b.WriteString("succeed, unless one of the things below is so that could not be found out\n")
	case d.Sure:
		fmt.Fprintf(&b, "fail with %s: %s\n", d.Errno, visible(d.Causes[0].Says))
	default:
		fmt.Fprintf(&b, "fail with %s, or for one of the things below that could not be found out: %s\n", d.Errno, visible(d.Causes[0].Says))
	}
	if len(d.Causes) > 1 {
		fmt.Fprintf(&b, "\n%d things are wrong, in the order in which this kernel (%s) asks for them:\n", len(d.Causes), f.Release)
	}
	for i := range d.Causes {
		c := &d.Causes[i]
		fmt.Fprintf(&b, "\n%d. %s: %s [%s]\n", i+1, c.Errno, visible(c.Says), strings.Join(append([]string{c.ID}, c.Or...), " or "))
		d.writeMends(&b, i)
	}
	if len(d.Doubts) > 0 && (verbose || !d.Sure) {
		b.WriteString("\nNot ruled out, because it could not be found out:\n")
		for _, c := range d.Doubts {
			fmt.Fprintf(&b, "  - %s, if %s [%s]\n", c.Errno, visible(c.Says), c.ID)
		}
	}
	if verbose {
		b.WriteString("\nLooked at, without changing anything:\n")
		for _, l := range f.lines() {
			fmt.Fprintf(&b, "  %s\n", visible(l))
		}
	}
	if verbose || !d.Sure {
		for _, u := range f.Unread {
			fmt.Fprintf(&b, "  could not read %s\n", visible(u))
		}
	}
	return b.String()
}

// visible returns text with names in it that others may have given, of mounts and directories, as a reader is to see it:
// what would control a terminal, begin a line or reorder text is shown as bytes.
func visible(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && n == 1 || !strconv.IsPrint(r) {
			for _, c := range []byte(s[i : i+n]) {
				fmt.Fprintf(&b, `\x%02x`, c)
			}
		} else {
			b.WriteString(s[i : i+n])
		}
		i += n
	}
	return b.String()
}

// writeMends writes the mends of a cause, but those that an earlier one has.
func (d *Diagnosis) writeMends(b *strings.Builder, cause int) {
	for _, m := range d.Causes[cause].Mends {
		if i := slices.IndexFunc(d.Causes[:cause], func(c Cause) bool {
			return slices.ContainsFunc(c.Mends, func(o Mend) bool { return o.Says == m.Says && slices.Equal(o.Run, m.Run) })
		}); i >= 0 {
			fmt.Fprintf(b, "   mend: as %d\n", i+1)
			continue
		}
		head := "   mend: "
		if m.Instead {
			head = "   instead: "
		}
		fmt.Fprintf(b, "%s%s\n", head, visible(m.Says))
		if m.Outside {
			b.WriteString("     from the root of the mount namespace, outside of the caller's root:\n")
		}
		for _, r := range m.Run {
			fmt.Fprintf(b, "     # %s\n", visible(r))
		}
		if m.Enter != "" {
			fmt.Fprintf(b, "     # %s\n", m.Enter)
		}
		if m.Old != "" {
			fmt.Fprintf(b, "     and put_old is %s\n", visible(m.Old))
		}
	}
}

// lines say what was read and how, or from what it was inferred.
func (f *Facts) lines() []string {
	c := &f.Caller
	order := map[Truth]string{
		No:      "the capability before the look-ups",
		Yes:     "the capability after the look-ups",
		Unknown: "the capability before or after the look-ups",
	}[f.LookupsFirst]
	out := []string{
		fmt.Sprintf("kernel: %s, which asks for %s (pivot_root with two bad addresses, with and without CAP_SYS_ADMIN)", f.Release, order),
		fmt.Sprintf("caller: CAP_SYS_ADMIN effective %s, permitted %s (capget)", c.Effective, c.Permitted),
		fmt.Sprintf("caller: its user namespace owns its mount namespace %s (NS_GET_USERNS); may change mounts %s (fsmount)", c.Owner, c.Capable),
		fmt.Sprintf("caller: refused by a security module %s (mount with two types of propagation)", c.Restricted),
	}
	if c.Profile != "" {
		out = append(out, fmt.Sprintf("caller: security label %q (/proc/thread-self/attr/current)", c.Profile))
	}
	out = append(out, f.Root.lines("root")...)
	for _, a := range []struct {
		name string
		arg  *Arg
	}{{"new_root", &f.New}, {"put_old", &f.Old}} {
		if a.arg.Errno != "" {
			out = append(out, fmt.Sprintf("%s: %s (open with O_PATH and O_DIRECTORY)", a.name, a.arg.Errno))
			continue
		}
		out = append(out, a.arg.lines(a.name)...)
	}
	out = append(out,
		fmt.Sprintf("new_root's mount is locked %s (umount2 with MNT_EXPIRE of a mount in use, or move_mount onto itself)", f.New.Mount.Locked),
		fmt.Sprintf("put_old is below new_root %s, new_root is below the root %s (chroot and getcwd in a thread)", f.Below, f.NewBelow))
	return out
}

// lines say what a directory and its mount are.
func (s *Spot) lines(name string) []string {
	m := &s.Mount
	parent := "no parent"
	switch m.HasParent {
	case Yes:
		parent = fmt.Sprintf("on mount %d", m.Parent)
		if m.ParentPoint != "" {
			parent += " (" + m.ParentPoint + ")"
		}
		parent += ", shared " + m.ParentShared.String()
	case Unknown:
		parent = "parent unknown"
	}
	where := ""
	if m.Own == No {
		where = "; " + m.where()
	}
	return []string{
		fmt.Sprintf("%s: %s, mount point %s (statx), removed %s", name, quoted(s.Is), s.MountRoot, s.Removed),
		fmt.Sprintf("%s: mount %d, %s, in the caller's namespace %s, shared %s; %s%s (mountinfo, statmount)",
			name, m.ID, m.words(), m.Own, m.Shared, parent, where),
	}
}
