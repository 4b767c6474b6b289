package signature

import (
	"regexp"
	"strings"

	"pivotspec/results/verdict"
)

// numbers are what changes from boot to boot and from build to build; what an errno or a status is does not.
var numbers = regexp.MustCompile(strings.Join([]string{
	`(?P<keep>\b(?:errno|error|status|signal|exitcode)[ =]+-?[0-9]{1,3}\b)`,
	`(?P<drop>\+0x[0-9a-fA-F]+(?:/0x[0-9a-fA-F]+)?)`,    // an offset in a function
	`(?P<line>(\.(?:c|h|S|rs|go)):[0-9]+\b)`,            // a line of source
	`\b0[xX][0-9a-fA-F]+\b`,                             // an address
	`(?P<hex>\b[0-9a-fA-F]{8,}\b)`,                      // the same, bare, unless it is a word
	`\b[0-9]+(?:\.[0-9]+)+[^\s,;()]*`,                   // a version, a time
	`\b(?:[0-9]+(?:\.[0-9]+)?(?:ns|us|µs|ms|s|m|h))+\b`, // a duration
	`\b[0-9]+\b`, // any other number
}, "|"))

var (
	// stamp is what printk may put before a message.
	stamp = regexp.MustCompile(`^(?:<[0-9]+>)?(?:\[ *[0-9]+\.[0-9]+\](?:\[ *[TC][0-9]+\])? *)?`)
	// console is what the harness puts before what it found on the console itself.
	console = regexp.MustCompile(`^[a-z]+ on the console: `)
	// older and newer are the two forms of the first line of a warning (kernel/panic.c, __warn).
	older = regexp.MustCompile(`^WARNING: CPU: [0-9]+ PID: [0-9]+ at `)
	newer = regexp.MustCompile(`^(WARNING: [^ ]+) at ([^ ]+), CPU#[0-9]+: .*$`)
	// build is the folder of a build outside of its tree.
	build = regexp.MustCompile(`(?:\.\.?|/[^\s/:]+)*/((?:arch|block|crypto|drivers|fs|include|init|io_uring|ipc|kernel|lib|mm|net|rust|security|sound|virt)/[^\s:]+\.(?:c|h|S|rs):[0-9])`)
)

// Normalise takes out of a message or a reason what changes although the failure is the same: time stamps, numbers,
// addresses, offsets, lines, versions and durations (N stands for each that a word would be lost without), the CPU and
// process in which a warning came, and characters that a line of YAML or a shell would take for something else.
func Normalise(s string) string {
	s = strings.Join(strings.Fields(clean(s)), " ")
	s = unstamped(s)
	s = older.ReplaceAllString(s, "WARNING: ")
	s = newer.ReplaceAllString(s, "$1 $2")
	s = build.ReplaceAllString(s, "$1")
	s = strings.Map(func(r rune) rune {
		if strings.ContainsRune("#'\"`", r) {
			return -1
		}
		return r
	}, s)
	keep, drop, line, hex := numbers.SubexpIndex("keep"), numbers.SubexpIndex("drop"), numbers.SubexpIndex("line"), numbers.SubexpIndex("hex")
	var b strings.Builder
	at := 0
	for _, m := range numbers.FindAllStringSubmatchIndex(s, -1) {
		b.WriteString(s[at:m[0]])
		at = m[1]
		switch {
		case m[2*keep] >= 0, m[2*hex] >= 0 && !strings.ContainsAny(s[m[0]:m[1]], "0123456789"):
			b.WriteString(s[m[0]:m[1]])
		case m[2*drop] >= 0:
		case m[2*line] >= 0:
			b.WriteString(s[m[2*line+2]:m[2*line+3]])
		default:
			b.WriteByte('N')
		}
	}
	s = b.String() + s[at:]
	words := strings.Fields(s)
	for i := range words {
		words[i] = strings.TrimRight(words[i], ":")
	}
	return strings.Join(strings.Fields(strings.Join(words, " ")), " ")
}

// unstamped takes off what stands before a message, again and again: it may hide another.
func unstamped(s string) string {
	for {
		shorter := console.ReplaceAllString(stamp.ReplaceAllString(s, ""), "")
		if shorter == s {
			return s
		}
		s = shorter
	}
}

// colour is a sequence by which a terminal changes its colours.
var colour = regexp.MustCompile("\x1b\\[[0-9;]*[A-Za-z]")

// clean makes one line of valid text without control characters.
func clean(s string) string {
	s = colour.ReplaceAllString(s, "")
	return strings.Map(func(r rune) rune {
		if r < ' ' || r >= 0x7f && r < 0xa0 || r == 0x2028 || r == 0x2029 {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "?"))
}

// Trace is one message of the kernel with the lines of its back trace, if it has one.
type Trace struct {
	// Head is the message, normalised: of a back trace its first line.
	Head string
	// Warnings are its lines in order, without those that are known to be harmless.
	Warnings []*verdict.Warning
}

var (
	// cut is the line before the first of a back trace.
	cut = regexp.MustCompile(`^-+\[ cut here \]-+`)
	// head is that first line.
	head = regexp.MustCompile(`^(WARNING: |kernel BUG at |BUG: |Kernel panic - |Oops|Internal error: |[Uu]nable to handle kernel |general protection fault)`)
	// again repeats a head in other words, behind it.
	again = regexp.MustCompile(`^(Oops|Internal error: |---\[ end Kernel panic)`)
	// ends is the last line of one.
	ends = regexp.MustCompile(`^---\[ end `)
	// behind are the forms of what follows a head: registers, code, the calls (show_regs and dump_stack of the architectures).
	behind = regexp.MustCompile(`^(\s|---\[ end trace|Modules linked in|CPU: |Hardware name|Tainted: |Workqueue: |Call [Tt]race|Code: |Krnl |` +
		`Last Breaking-Event|Instruction dump|Process |Stack ?:|\(?\[<|<\/?[A-Z]+>|irq event stamp|(hard|soft)irqs last|PKRU|Kernel Offset|CR2: |` +
		`([A-Z][A-Z0-9]{1,5}|[er]?[a-z]{1,2}[0-9]{0,2}|pstate|epc|status|badaddr|cause|Hi|Lo|Status|Cause|PrId|\$ ?[0-9]+) *: *([0-9a-f]{8}|[0-9][0-9a-f]{3}\b|[0-9]+\b|\[?[<(#])|(pc|lr|epc|ra) : |(NIP|LR) \[|[0-9a-f]{8} )`)
)

// Traces joins the kernel's messages that belong to one back trace, each of which a kernel logs as a dozen or more. What does not
// have the form of a line of one stands alone: rather twice the same failure than two for one.
func Traces(warnings []verdict.Warning) []Trace {
	var out []Trace
	open, end := -1, -1 // the trace that goes on, and the line to which it may do so over others
	for i := range warnings {
		w := &warnings[i]
		if w.Known != nil {
			continue
		}
		line := unstamped(clean(w.Text))
		alone := Trace{Head: text(line), Warnings: []*verdict.Warning{w}}
		switch {
		case cut.MatchString(line):
			open, end = len(out), last(warnings, i)
			out = append(out, alone)
		case open >= 0 && cut.MatchString(clean(out[open].Warnings[0].Text)) && (len(out[open].Warnings) == 1 || len(out[open].Warnings) == 2 && head.MatchString(line)):
			// The first line, or before it a message of the trace's own.
			out[open].Head = alone.Head
			out[open].Warnings = append(out[open].Warnings, w)
		case open >= 0 && (behind.MatchString(line) && !head.MatchString(line) || again.MatchString(line) && !strings.HasPrefix(out[open].Head, "WARNING")):
			out[open].Warnings = append(out[open].Warnings, w)
			if ends.MatchString(line) {
				open = -1
			}
		case head.MatchString(line):
			open, end = len(out), last(warnings, i)
			out = append(out, alone)
		default:
			if i > end {
				open = -1
			}
			out = append(out, alone)
		}
	}
	return out
}

// last returns the index of the last line of the trace that begins with line i, or i if it has none.
func last(warnings []verdict.Warning, i int) int {
	for k := i + 1; k < len(warnings); k++ {
		line := unstamped(clean(warnings[k].Text))
		switch {
		case ends.MatchString(line):
			return k
		case cut.MatchString(line), k > i+2 && head.MatchString(line) && !again.MatchString(line):
			return i
		}
	}
	return i
}
