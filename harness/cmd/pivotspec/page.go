package main

import "github.com/spf13/cobra"

func pageCommand(o *options) *cobra.Command {
	cmd := &cobra.Command{
		Use:                        "page",
		Short:                      "List or fetch editions of the manual page",
		SuggestionsMinimumDistance: 2,
	}
	group(cmd)
	cmd.AddCommand(pageListCommand(o), pageFetchCommand(o))
	return cmd
}
