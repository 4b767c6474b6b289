package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"pivotspec/harness/lab"
	"pivotspec/results/baseline"
	"pivotspec/results/cell"
	"pivotspec/suites/knowledge"
)

func reportCommand(o *options) *cobra.Command {
	var format, edition, against, update string
	cmd := &cobra.Command{
		Use:   "report [DIR]",
		Short: "Judge and print records again (without DIR, those of the last run)",
		Args:  cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := knownFormat(format); err != nil {
				return err
			}
			base, err := knowledge.Load()
			if err != nil {
				return failed(err)
			}
			if _, ok := base.Edition(edition); edition != "" && !ok {
				return usage(unknownEdition(base, edition))
			}
			var dir string
			if len(args) == 1 {
				dir = args[0]
			} else {
				l, err := lab.Open(o.cache, "")
				if err != nil {
					return failed(err)
				}
				dir = lastRun(l.Dir)
			}
			cells, err := cell.ReadDir(dir)
			if err != nil {
				return failed(err)
			}
			exit, err := judge(base, cells, edition, format, cmd.OutOrStdout())
			if err != nil {
				return err
			}
			if against != "" {
				old, err := baseline.Load(against)
				if err != nil {
					return failed(err)
				}
				for _, d := range baseline.Compare(base, old, cells) {
					fmt.Fprintln(cmd.ErrOrStderr(), "pivotspec: not as in the baseline:", d)
					exit = 1
				}
			}
			if update != "" {
				if err := baseline.Write(update, base, cells); err != nil {
					return failed(err)
				}
			}
			if exit != 0 {
				return &exitError{status: exit}
			}
			return nil
		},
	}
	reportFlags(cmd, &format, &edition)
	cmd.Flags().StringVar(&against, "baseline", "", "`DIR` of records to compare with; any difference is unexpected")
	cmd.Flags().StringVar(&update, "update-baseline", "", "`DIR` to which the records are written as a baseline")
	return cmd
}
