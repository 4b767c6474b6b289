package main

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"pivotspec/suites/diagnose"
)

func diagnoseCommand() *cobra.Command {
	var o diagnose.Options
	var format string
	cmd := &cobra.Command{
		Use:   "diagnose NEW_ROOT PUT_OLD",
		Short: "Say what pivot_root would answer here, why, and how to mend it, without making the call",
		Long: `diagnose says what pivot_root(NEW_ROOT, PUT_OLD) would answer where it is run - in this root, working
directory and mount namespace, with these capabilities - and names every cause of failure in the
order in which the running kernel asks for it, each with a way to mend it. Nothing is changed.

As root it sees all but what AppArmor and SELinux think; as a user what can be read.

Exit status: 0 the call would succeed; 1 it would fail; 2 wrong usage; 3 it could not be found out.`,
		Annotations: map[string]string{mayBeEmpty: "the empty path is ENOENT"},
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) != 2 {
				return usage(fmt.Errorf("%s takes two paths, NEW_ROOT and PUT_OLD, and got %d; see `%[1]s --help`", cmd.CommandPath(), len(args)))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			switch format {
			case "text":
			case "json":
				o.JSON = true
			default:
				return usage(fmt.Errorf("--format %s: want text or json; see `%s --help`", format, cmd.CommandPath()))
			}
			if cmd.Flags().Changed("pid") && o.Task <= 0 {
				return usage(fmt.Errorf("--pid %d: want the ID of a process; see `%s --help`", o.Task, cmd.CommandPath()))
			}
			o.New, o.Old = args[0], args[1]
			var said bytes.Buffer // what cannot be printed is another error than what cannot be found out
			status, err := diagnose.Run(&said, o)
			switch {
			case errors.Is(err, diagnose.ErrNoProc):
				return failed(fmt.Errorf("%w; mount one (mount -t proc proc /proc) or run it as root", err))
			case errors.Is(err, diagnose.ErrNoTask):
				return failed(fmt.Errorf("--pid %d: %w; give the ID of a process that runs", o.Task, err))
			case err != nil:
				return failed(fmt.Errorf("diagnose: %w", err))
			}
			if _, err := cmd.OutOrStdout().Write(said.Bytes()); err != nil {
				return unprinted(err)
			}
			return ended(status)
		},
	}
	cmd.Flags().BoolVarP(&o.Verbose, "verbose", "v", false, "print what was looked at, too")
	cmd.Flags().StringVar(&format, "format", "text", "`FORMAT` of the output: text or json")
	cmd.Flags().IntVar(&o.Task, "pid", 0, "what the process with this `ID` would be answered")
	return cmd
}
