package main

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"pivotspec/harness/arch"
	"pivotspec/harness/gvisor"
	"pivotspec/harness/host"
	"pivotspec/harness/lab"
	"pivotspec/images"
	"pivotspec/kernels"
	"pivotspec/suites/knowledge"
	"pivotspec/suites/knowledge/choose"
)

// complete gives every command below cmd, and itself, completions for a shell. Which, its own words say: those in capital
// letters in the line of usage for arguments, and in the texts of flags for their values. A word that is not in
// [completions] is a file. Nothing here opens the cache or the network.
func complete(cmd *cobra.Command) {
	if cmd.ValidArgsFunction == nil && !cmd.HasSubCommands() {
		cmd.ValidArgsFunction = completeArgs(cmd.Use)
	}
	flags := func(f *pflag.Flag) {
		if _, done := cmd.GetFlagCompletionFunc(f.Name); done || f.Value.Type() == "bool" {
			return
		}
		// It fails only for a flag that there is not, or one that is done.
		_ = cmd.RegisterFlagCompletionFunc(f.Name, completeFlag(f))
	}
	cmd.LocalFlags().VisitAll(flags)
	cmd.PersistentFlags().VisitAll(flags)
	for _, c := range cmd.Commands() {
		complete(c)
	}
}

// completer returns what can stand for a word, each with a tab and what it is, and what else the shell may
// offer. so is what is typed of it.
type completer func(cmd *cobra.Command, so string) ([]string, cobra.ShellCompDirective)

// completions are the completers by the words in capitals. Those of flags whose word says less are by the flag's name.
func completions() map[string]completer {
	return map[string]completer{
		"KERNEL":      kernelNames,
		"OLD":         kernelNames,
		"NEW":         kernelNames,
		"EDITION":     editions,
		"WORD":        words,
		"COMMAND":     commands,
		"ARCH":        archNames,
		"--scenario":  scenarioNames,
		"--behaviour": behaviourNames,
		"DIR":         folders,
		"NEW_ROOT":    folders,
		"PUT_OLD":     folders,
		"FILE":        files,
	}
}

// completeArgs completes the arguments of a command with that line of usage.
func completeArgs(use string) cobra.CompletionFunc {
	var places []string
	more := false
	for _, w := range strings.Fields(use)[1:] {
		if strings.Trim(w, "[]") == "..." {
			more = true
		} else if w = strings.Trim(w, "[]."); w != "" && w == strings.ToUpper(w) {
			places = append(places, w)
		}
	}
	return func(cmd *cobra.Command, args []string, so string) ([]string, cobra.ShellCompDirective) {
		n := len(args)
		if n >= len(places) && more {
			n = len(places) - 1
		}
		if n < 0 || n >= len(places) {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		if c := completions()[places[n]]; c != nil {
			return c(cmd, so)
		}
		return files(cmd, so)
	}
}

// completeFlag completes the value of a flag, which is a list behind commas if its type says so.
func completeFlag(f *pflag.Flag) cobra.CompletionFunc {
	word, text := pflag.UnquoteUsage(f)
	c := completions()["--"+f.Name]
	if c == nil {
		c = completions()[word]
	}
	switch _, list, ok := strings.Cut(text, ": "); {
	case c != nil:
	case ok && (word == "FORMAT" || word == "ACCELERATOR"): // whose text ends in all that there are
		c = fixed(strings.Split(strings.ReplaceAll(list, " or ", ", "), ", "))
	case f.Value.Type() == "string":
		c = files
	default:
		c = fixed(nil) // a number
	}
	return func(cmd *cobra.Command, _ []string, so string) ([]string, cobra.ShellCompDirective) {
		before := ""
		if i := strings.LastIndex(so, ","); f.Value.Type() == "stringSlice" && i >= 0 {
			before, so = so[:i+1], so[i+1:]
		}
		out, how := c(cmd, so)
		if before == "" {
			return out, how
		}
		listed := make([]string, len(out))
		for i := range out {
			listed[i] = before + out[i]
		}
		return listed, how
	}
}

func fixed(list []string) completer {
	return func(_ *cobra.Command, so string) ([]string, cobra.ShellCompDirective) {
		return beginning(list, so), cobra.ShellCompDirectiveNoFileComp
	}
}

// beginning returns those of a list that begin with what is typed.
func beginning(list []string, so string) []string {
	return slices.DeleteFunc(slices.Clone(list), func(s string) bool { return !strings.HasPrefix(s, so) })
}

func files(*cobra.Command, string) ([]string, cobra.ShellCompDirective) {
	return nil, cobra.ShellCompDirectiveDefault
}

func folders(*cobra.Command, string) ([]string, cobra.ShellCompDirective) {
	return nil, cobra.ShellCompDirectiveFilterDirs
}

// kernelNames completes names of the catalogue and of what runs the suite without a boot, else files. There are
// many names with an architecture: they are offered once its slash is typed.
func kernelNames(_ *cobra.Command, so string) ([]string, cobra.ShellCompDirective) {
	cat, err := kernels.Load()
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	var out []string
	for _, e := range cat.All() {
		if strings.Contains(so, "/") || !strings.Contains(e.Name, "/") {
			out = append(out, e.Name+"\tLinux "+e.Series+" on "+e.Arch)
		}
		if strings.Contains(so, "/") {
			name, _, _ := strings.Cut(e.Name, "/")
			for _, abi := range append([]string{""}, e.ABIs...) {
				full := name + "/" + e.Arch
				if abi != "" {
					full += "/" + abi
				}
				out = append(out, full+"\tLinux "+e.Series+" on "+e.Arch)
			}
		}
	}
	out = append(out, host.Name+"\tthe kernel that is running", gvisor.Name+"\tgVisor's")
	slices.Sort(out)
	return beginning(slices.Compact(out), so), cobra.ShellCompDirectiveDefault
}

func archNames(cmd *cobra.Command, so string) ([]string, cobra.ShellCompDirective) {
	table, err := arch.Load()
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	out := []string{lab.AllArchs}
	for _, name := range table.Names() {
		a, err := table.Arch(name)
		if err != nil {
			return nil, cobra.ShellCompDirectiveError
		}
		out = append(out, name)
		for _, abi := range a.ABIs[1:] {
			out = append(out, name+"/"+abi.Name+"\tprograms of "+abi.Name+" on "+name)
		}
	}
	return fixed(out)(cmd, so)
}

func scenarioNames(cmd *cobra.Command, so string) ([]string, cobra.ShellCompDirective) {
	all, err := images.Scenarios()
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	out := []string{"all\tevery one"}
	for _, s := range all {
		out = append(out, s.Name+"\t"+s.Says)
	}
	return fixed(out)(cmd, so)
}

// behaviourNames completes IDs of behaviours and, where several can be given, their areas.
func behaviourNames(cmd *cobra.Command, so string) ([]string, cobra.ShellCompDirective) {
	base, err := knowledge.LoadToJudge()
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	f := cmd.Flags().Lookup("behaviour")
	several := f != nil && f.Value.Type() == "stringSlice"
	var out []string
	for _, w := range choose.Words(base) {
		if b, ok := base.Behaviour(w); ok {
			out = append(out, w+"\t"+b.Title)
		} else if several {
			out = append(out, w+"\tall of the area")
		}
	}
	return fixed(out)(cmd, so)
}

func editions(cmd *cobra.Command, so string) ([]string, cobra.ShellCompDirective) {
	base, err := knowledge.Load()
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	var out []string
	for _, e := range base.Editions {
		out = append(out, e.ID+"\t"+e.Title)
	}
	return fixed(out)(cmd, so)
}

// words completes what can be explained.
func words(cmd *cobra.Command, so string) ([]string, cobra.ShellCompDirective) {
	x, err := explainer()
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	var out []string
	for _, w := range x.Words() {
		out = append(out, w.ID+"\t"+w.Title)
	}
	return fixed(out)(cmd, so)
}

func commands(cmd *cobra.Command, so string) ([]string, cobra.ShellCompDirective) {
	var out []string
	for _, c := range cmd.Root().Commands() {
		if c.IsAvailableCommand() {
			out = append(out, c.Name()+"\t"+c.Short)
		}
	}
	return fixed(out)(cmd, so)
}
