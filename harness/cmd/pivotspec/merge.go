package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"pivotspec/results/cell"
	"pivotspec/results/merge"
)

func mergeCommand() *cobra.Command {
	var v view
	var out string
	cmd := &cobra.Command{
		Use:   "merge DIR ... --out DIR",
		Short: "Make one run of what the shards of it recorded, and print the report",
		Long: `Make one run of what the shards of it recorded, and print the report.

DIR is the folder that pivotspec run --shard filled, or one that has such folders below it, as CI
systems leave downloaded artifacts. The folder that --out names gets what one machine would have
recorded, had it run all cells. Cells of a shard that is missing or did not end are broken.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			base, err := v.check()
			if err != nil {
				return err
			}
			if len(args) == 0 {
				return usage(errors.New("there is nothing to merge: give the folders of the shards; see `pivotspec merge --help`"))
			}
			if out == "" {
				return usage(errors.New("--out is missing: give the folder for the merged run; see `pivotspec merge --help`"))
			}
			if err := v.baseline.read(); err != nil {
				return err
			}
			v.baseline.planned = true
			run, err := merge.Read(args, out)
			if err != nil {
				return failed(fmt.Errorf("cannot merge: %w", err))
			}
			recs, err := openRecords(out, out, false)
			if err != nil {
				return failed(err)
			}
			defer recs.close()
			if err := run.Write(out); err != nil {
				return failed(fmt.Errorf("cannot merge: %w", err))
			}
			for _, n := range run.Notes {
				fmt.Fprintln(cmd.ErrOrStderr(), n)
			}
			cells, err := cell.ReadDir(out)
			if err != nil {
				return failed(err)
			}
			exit, err := v.show(cmd.OutOrStdout(), base, cells)
			if err != nil {
				return err
			}
			return ended(exit)
		},
	}
	cmd.Flags().StringVar(&out, "out", "", "`DIR` for the merged run")
	v.flags(cmd)
	return cmd
}
