package main

import (
	_ "embed"
	"io"
	"regexp"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"pivotspec/results/report"
	"pivotspec/results/verdict"
)

// manual is the page of pivotspec, in mdoc macros, without what the commands say of themselves.
//
//go:embed man.mdoc
var manual string

func manCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "man",
		Short: "Print the manual page of pivotspec, for man -l or mandoc",
		Args:  atMost(0, "no argument"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if _, err := io.WriteString(cmd.OutOrStdout(), manPage(cmd.Root())); err != nil {
				return unprinted(err)
			}
			return nil
		},
	}
}

// manPage returns the manual page with the commands below root.
func manPage(root *cobra.Command) string {
	var synopsis, commands, options mdoc
	for _, c := range leaves(root) {
		synopsis.macro("Nm")
		synopsis.usage(c)
		commands.macro("Ss", "pivotspec "+strings.TrimPrefix(c.CommandPath(), "pivotspec "))
		commands.macro("Nm")
		commands.usage(c)
		commands.macro("Pp")
		commands.text(says(c))
		if c.Example != "" {
			commands.macro("Pp")
			commands.text(strings.TrimRight(c.Example, "\n"))
		}
		commands.flags(c.LocalNonPersistentFlags())
	}
	options.flags(root.PersistentFlags())
	var verdicts mdoc
	verdicts.macro("Bl", "-tag", "-width", "Ds")
	for _, v := range report.Legend() {
		verdicts.macro("It", v.Symbol)
		verdicts.text(v.Meaning + meaning(v.Verdict))
	}
	verdicts.macro("El")
	return strings.NewReplacer(
		"{{synopsis}}\n", synopsis.String(), "{{commands}}\n", commands.String(),
		"{{options}}\n", options.String(), "{{verdicts}}\n", verdicts.String(),
	).Replace(manual)
}

// meaning says more of a verdict than the legend of the matrix does.
func meaning(v verdict.Verdict) string {
	switch v {
	case verdict.Conforms:
		return ": as expected, and as the page says."
	case verdict.Deviation:
		return ": as the ledger says, and not as the page says."
	case verdict.Silent:
		return ": as expected, and the page says nothing of it."
	case verdict.Unsupported:
		return ": the kernel lacks a feature, which is named."
	case verdict.Unexpected:
		return ": neither as the ledger nor as the page says."
	case verdict.Broken:
		return ": the set-up failed, or the guest's report is not whole."
	}
	return ": nothing was reported."
}

// leaves returns the commands that do something, in the order of the help. Of completion there is the whole alone: it
// is cobra's, and its parts explain shells.
func leaves(cmd *cobra.Command) []*cobra.Command {
	var out []*cobra.Command
	for _, c := range cmd.Commands() {
		switch {
		case !c.IsAvailableCommand() && c.Name() != "help":
		case c.HasAvailableSubCommands() && c.Name() != "completion":
			out = append(out, leaves(c)...)
		default:
			out = append(out, c)
		}
	}
	return out
}

// says returns what a command says of itself: its long text, behind the short one unless it begins with that.
func says(c *cobra.Command) string {
	if c.Name() == "completion" {
		return "Print completions for a shell: bash, zsh, fish or powershell.\n\n`pivotspec completion SHELL --help` says how to load them."
	}
	short := strings.TrimSuffix(c.Short, ".") + "."
	long := strings.TrimSpace(c.Long)
	switch {
	case long == "":
		return short
	case strings.HasPrefix(long, strings.TrimSuffix(short, ".")):
		return long
	}
	return short + "\n\n" + long
}

// mdoc is a part of a page in mdoc macros.
type mdoc struct{ b strings.Builder }

func (m *mdoc) String() string { return m.b.String() }

// macro writes a line with a macro and its arguments.
func (m *mdoc) macro(name string, args ...string) {
	m.b.WriteString("." + name)
	for _, a := range args {
		m.b.WriteString(" " + escape(a))
		if len(a) > 1 && strings.ContainsAny(a[len(a)-1:], ".,:;)]?!") && a != "..." {
			m.b.WriteString(`\&`) // it belongs to the word, and is no delimiter behind it
		}
	}
	m.b.WriteString("\n")
}

// usage writes the words of a command behind its Nm.
func (m *mdoc) usage(c *cobra.Command) {
	path := strings.Fields(c.CommandPath())[1:]
	m.macro("Cm", path...)
	if c.Name() == "completion" {
		m.macro("Ar", "SHELL")
		return
	}
	if len(own(c.LocalNonPersistentFlags())) > 0 {
		m.macro("Op", "Ar", "options")
	}
	words := strings.Fields(c.Use)[1:]
	for i := 0; i < len(words); i++ {
		w := words[i]
		if strings.HasPrefix(w, "[") {
			for !strings.HasSuffix(w, "]") && i+1 < len(words) {
				i++
				w += " " + words[i]
			}
			m.macro("Op", append([]string{"Ar"}, strings.Fields(strings.Trim(w, "[]"))...)...)
		} else if w != "..." {
			args := []string{w}
			if i+1 < len(words) && words[i+1] == "..." {
				args = append(args, "...")
			}
			m.macro("Ar", args...)
		}
	}
}

// own returns the flags of a set that are worth a place in the page.
func own(set *pflag.FlagSet) []*pflag.Flag {
	var out []*pflag.Flag
	set.VisitAll(func(f *pflag.Flag) {
		if !f.Hidden && f.Name != "help" {
			out = append(out, f)
		}
	})
	return out
}

// flags writes a list of flags, if there are any.
func (m *mdoc) flags(set *pflag.FlagSet) {
	list := own(set)
	if len(list) == 0 {
		return
	}
	m.macro("Bl", "-tag", "-width", "Ds")
	for _, f := range list {
		word, text := pflag.UnquoteUsage(f)
		args := []string{"Fl", "-" + f.Name}
		if word != "" {
			args = append(args, "Ar", word)
		}
		m.macro("It", args...)
		if d := f.DefValue; d != "" && d != "[]" && d != "false" && d != "0" && !strings.Contains(text, "default") {
			text += " (default: " + d + ")"
		}
		m.text(sentence(text))
	}
	m.macro("El")
}

// sentence makes one of a flag's text.
func sentence(s string) string {
	if s = strings.TrimSpace(s); s == "" {
		return s
	}
	if first := strings.Fields(s)[0]; first == strings.ToLower(first) {
		s = strings.ToUpper(s[:1]) + s[1:]
	}
	return strings.TrimSuffix(s, ".") + "."
}

var (
	quoted      = regexp.MustCompile("`([^`]*)`")
	sentenceEnd = regexp.MustCompile(`([^.][.!?]\)?) +`) // not "..."
)

// text writes paragraphs. Indented lines are shown as they are.
func (m *mdoc) text(s string) {
	for i, par := range strings.Split(strings.Trim(s, "\n"), "\n\n") {
		if i > 0 {
			m.macro("Pp")
		}
		if strings.HasPrefix(par, " ") {
			m.macro("Bd", "-literal", "-offset", "indent", "-compact")
			for l := range strings.Lines(par) {
				m.b.WriteString(escape(strings.TrimSpace(l)) + "\n")
			}
			m.macro("Ed")
			continue
		}
		par = strings.Join(strings.Fields(par), " ")
		for _, line := range strings.Split(sentenceEnd.ReplaceAllString(par, "$1\n"), "\n") {
			for _, l := range report.Hang(72, "", "", line) {
				m.b.WriteString(quoted.ReplaceAllString(escape(l), `\fB$1\fR`) + "\n")
			}
		}
	}
}

// escape makes words of a page that mean themselves.
func escape(s string) string {
	s = strings.NewReplacer(`\`, `\e`, "–", `\(en`, "≠", `\(!=`, "·", `\(pc`, "✗", `\[u2717]`).Replace(s)
	if strings.HasPrefix(s, ".") || strings.HasPrefix(s, "'") {
		s = `\&` + s
	}
	return s
}
