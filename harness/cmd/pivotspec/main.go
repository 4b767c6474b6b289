// Command pivotspec settles what pivot_root(2) does: it boots kernels, runs the suite in each
// and compares what happened with the manual page.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
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

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

// run is the program. The first SIGINT, SIGTERM or SIGHUP ends the work in an orderly way: guests
// are stopped and what they reported is kept. The next one ends the program at once.
func run(args []string, stdout, stderr io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
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
	fmt.Fprintf(stderr, "pivotspec: %v\n", e.err)
	if e.status == exitUsage {
		fmt.Fprintln(stderr, "See pivotspec --help.")
	}
	return e.status
}

func command() *cobra.Command {
	root := &cobra.Command{
		Use:   "pivotspec",
		Short: "What pivot_root(2) really does",
		Long: `pivotspec boots real kernels under QEMU, observes what pivot_root(2) does on each, and says
where the manual page and the kernel part ways.

Exit status: 0 nothing unexpected; 1 something unexpected; 2 wrong usage; 3 the harness
could not do its work (a cell broken or missing, a kernel not to be had). 1 wins over 3.`,
		SilenceUsage:  true,
		SilenceErrors: true,
		Args:          cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return usage(errors.New("say what to do: run, kernels or report"))
		},
	}
	var o options
	root.PersistentFlags().StringVar(&o.cache, "cache", "", "`DIR` of the cache (default: pivotspec in the user's cache folder)")
	root.AddCommand(runCommand(&o), kernelsCommand(&o), reportCommand(&o))
	return root
}

// options are those of every command.
type options struct {
	cache string
}
