// Command pivotspec settles what pivot_root(2) does: it boots kernels, runs the suite in each
// and compares what happened with the manual page.
package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// Exit statuses, beside those that a judgement calls for.
const (
	exitUsage   = 2 // wrong usage
	exitHarness = 3 // the harness could not do its work
)

// exitError ends the program with a status. Its error, if any, is printed as one line.
type exitError struct {
	status int
	err    error
}

func (e *exitError) Error() string {
	if e.err == nil {
		return fmt.Sprintf("exit status %d", e.status)
	}
	return e.err.Error()
}

func (e *exitError) Unwrap() error { return e.err }

func usage(err error) error { return &exitError{exitUsage, err} }

func failed(err error) error { return &exitError{exitHarness, err} }

// ended returns the error that makes the program end with status, nil for 0.
func ended(status int) error {
	if status == 0 {
		return nil
	}
	return &exitError{status: status}
}

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

// run is the program. The first SIGINT, SIGTERM or SIGHUP ends the work in an orderly way: guests
// are stopped and what they reported is kept. The next one ends the program at once.
func run(args []string, stdout, stderr io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), heeded()...)
	defer stop()
	context.AfterFunc(ctx, stop)
	root := command()
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return 0
	}
	// What is no error of ours is cobra's, about the way it was called.
	e := &exitError{exitUsage, err}
	if errors.As(err, &e) && e.err == nil {
		return e.status
	}
	complain(stderr, e.err)
	return e.status
}

// heeded returns the signals that end the work. One that whoever started the program has it
// ignore, as nohup(1) does, stays ignored.
func heeded() []os.Signal {
	var out []os.Signal
	for _, s := range []os.Signal{os.Interrupt, syscall.SIGTERM, syscall.SIGHUP} {
		if !signal.Ignored(s) {
			out = append(out, s)
		}
	}
	return out
}

// complain prints an error as one line.
func complain(w io.Writer, err error) {
	fmt.Fprintln(w, "pivotspec:", withoutPackages(strings.Join(strings.Fields(err.Error()), " ")))
}

var packages = regexp.MustCompile(`(^|: )((accel|baseline|cell|images|kernels|knowledge|lab): )+`)

// withoutPackages takes from a message the names of packages with which their errors begin: who calls the program
// knows nothing of those.
func withoutPackages(s string) string { return packages.ReplaceAllString(s, "$1") }

func command() *cobra.Command {
	root := &cobra.Command{
		Use:   "pivotspec",
		Short: "What pivot_root(2) really does",
		Long: `pivotspec boots real kernels under QEMU, observes what pivot_root(2) does on each, and says
where the manual page and the kernel part ways.

Exit status: 0 nothing unexpected; 1 something unexpected; 2 wrong usage; 3 the harness
could not do its work (a cell broken or missing, a kernel not to be had). 1 wins over 3.`,
		SilenceUsage:               true,
		SilenceErrors:              true,
		SuggestionsMinimumDistance: 2,
		PersistentPreRunE: func(cmd *cobra.Command, args []string) error {
			return cmp.Or(noEmptyFlag(cmd), noEmptyArg(cmd, args))
		},
	}
	group(root)
	root.SetFlagErrorFunc(flagError)
	var o options
	root.PersistentFlags().StringVar(&o.cache, "cache", "", "`DIR` of the cache (default: pivotspec in the user's cache folder)")
	root.AddCommand(
		runCommand(&o),
		guestCommand(&o),
		kernelsCommand(&o),
		reportCommand(&o),
		mergeCommand(),
		diffCommand(&o),
		bisectCommand(&o),
		diagnoseCommand(),
		explainCommand(),
		pageCommand(&o),
		scenariosCommand(),
		manCommand(),
	)
	root.SetHelpCommand(helpCommand(root))
	root.InitDefaultCompletionCmd()
	for _, c := range root.Commands() {
		if c.Name() == "completion" { // cobra's prints its help for a shell that there is not
			group(c)
		}
	}
	complete(root)
	return root
}

// options are those of every command.
type options struct {
	cache string
}

// group makes cmd one that only has commands below it.
func group(cmd *cobra.Command) {
	cmd.Args = func(cmd *cobra.Command, args []string) error {
		if len(args) > 0 {
			return unknownCommand(cmd, args[0])
		}
		return nil
	}
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		return usage(fmt.Errorf("%s needs a command: %s; see `%s --help`", cmd.CommandPath(), commandNames(cmd), cmd.CommandPath()))
	}
}

func unknownCommand(cmd *cobra.Command, name string) error {
	// cobra names each that is near, by distance and again by its beginning
	if near := cmd.SuggestionsFor(name); len(near) > 0 {
		return usage(fmt.Errorf("unknown command %q for %s: did you mean %s?", name, cmd.CommandPath(), near[0]))
	}
	return usage(fmt.Errorf("unknown command %q for %s: there are %s; see `%s --help`", name, cmd.CommandPath(), commandNames(cmd), cmd.CommandPath()))
}

// commandNames lists the commands below cmd that are about kernels, not about the command line.
func commandNames(cmd *cobra.Command) string {
	var names []string
	for _, c := range cmd.Commands() {
		if c.IsAvailableCommand() && c.Name() != "completion" && c.Name() != "man" {
			names = append(names, c.Name())
		}
	}
	return strings.Join(names, ", ")
}

// helpCommand is cobra's, except that not to know a command is an error.
func helpCommand(root *cobra.Command) *cobra.Command {
	return &cobra.Command{
		Use:               "help [COMMAND]",
		Short:             "Help about a command",
		ValidArgsFunction: completeArgs("help [COMMAND]"),
		RunE: func(_ *cobra.Command, args []string) error {
			cmd, rest, err := root.Find(args)
			if err != nil || len(rest) > 0 {
				return unknownCommand(root, strings.Join(args, " "))
			}
			cmd.InitDefaultHelpFlag()
			return cmd.Help()
		},
	}
}

// atMost lets pass n arguments. what says what they are.
func atMost(n int, what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) > n {
			return usage(fmt.Errorf("%s takes %s, and got %d: %s; see `%s --help`",
				cmd.CommandPath(), what, len(args), strings.Join(args, " "), cmd.CommandPath()))
		}
		return nil
	}
}

// noEmptyFlag refuses a flag that is given without a value. That of a shell's variable which is not
// set would silently mean the default.
func noEmptyFlag(cmd *cobra.Command) error {
	var err error
	cmd.Flags().Visit(func(f *pflag.Flag) {
		if v := f.Value.String(); err == nil && (v == "" || v == "[]") {
			what, _ := pflag.UnquoteUsage(f)
			err = usage(fmt.Errorf("--%s is empty: give %s, or leave it out; see `%s --help`", f.Name, what, cmd.CommandPath()))
		}
	})
	return err
}

// mayBeEmpty annotates a command to which an empty argument means something.
const mayBeEmpty = "arguments may be empty"

// noEmptyArg refuses an argument that is empty, for the same reason.
func noEmptyArg(cmd *cobra.Command, args []string) error {
	_, may := cmd.Annotations[mayBeEmpty]
	// What completes a word that is not begun is hidden.
	if i := slices.Index(args, ""); i >= 0 && !may && !cmd.Hidden {
		return usage(fmt.Errorf("argument %d of %s is empty: give what the line `%s` asks for; see `%[2]s --help`", i+1, cmd.CommandPath(), cmd.UseLine()))
	}
	return nil
}

// flagError says what is wrong with a flag, without the words of the library that parsed it.
func flagError(cmd *cobra.Command, err error) error {
	help := fmt.Sprintf("see `%s --help`", cmd.CommandPath())
	var value *pflag.InvalidValueError
	if errors.As(err, &value) && errors.As(err, new(*strconv.NumError)) {
		want := "a number"
		if strings.HasPrefix(value.GetFlag().Value.Type(), "uint") {
			want = "a number, 0 or more"
		}
		return usage(fmt.Errorf("--%s %s: want %s; %s", value.GetFlag().Name, value.GetValue(), want, help))
	}
	return usage(fmt.Errorf("%w; %s", err, help))
}
