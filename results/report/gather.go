package report

import (
	"slices"
	"strings"
)

// gathered is behaviours of which the same is to be said.
type gathered struct {
	says string
	ids  []string
}

// gather joins behaviours of which the same is to be said, in the order in which they come. A behaviour of
// which nothing is to be said is left out.
func gather[T any](list []T, says func(T) (id, text string)) []gathered {
	var out []gathered
	for _, v := range list {
		id, text := says(v)
		if text == "" {
			continue
		}
		i := slices.IndexFunc(out, func(g gathered) bool { return g.says == text })
		if i < 0 {
			i = len(out)
			out = append(out, gathered{says: text})
		}
		out[i].ids = append(out[i].ids, id)
	}
	return out
}

// mdIDs writes the IDs for Markdown.
func (g *gathered) mdIDs() string { return "`" + strings.Join(g.ids, "`, `") + "`" }
