package main

import (
	"fmt"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"pivotspec/images"
)

func scenariosCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "scenarios",
		Short: "List the ways to boot that run --scenario takes",
		Args:  atMost(0, "no argument"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			all, err := images.Scenarios()
			if err != nil {
				return failed(err)
			}
			w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
			fmt.Fprintln(w, "SCENARIO\tWHAT IT IS")
			for _, s := range all {
				fmt.Fprintf(w, "%s\t%s\n", s.Name, s.Says)
			}
			if err := w.Flush(); err != nil {
				return unprinted(err)
			}
			return nil
		},
	}
}
