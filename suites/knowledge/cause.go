package knowledge

import (
	"slices"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"

	"pivotspec/suites/diagnose"
)

// Causes say what is wrong with the observed call where it fails: what a diagnosis has to name first.
type Causes []Cause

// Cause is what is wrong with a call on some kernels.
type Cause struct {
	// From and To are the first and last series for which it holds; the zero Series is an open end.
	From Series `yaml:"from"`
	To   Series `yaml:"to"`
	// Errno is what the call gives then, "" for any.
	Errno string `yaml:"errno"`
	// Is holds IDs of package diagnose, of which any one is true.
	Is Set `yaml:"is"`
}

// UnmarshalYAML accepts the ID of a cause, or a list of entries.
func (c *Causes) UnmarshalYAML(n ast.Node) error {
	if n.Type() == ast.SequenceType {
		return yaml.NodeToValue(n, (*[]Cause)(c), yaml.Strict())
	}
	var id string
	if err := yaml.NodeToValue(n, &id); err != nil {
		return err
	}
	*c = Causes{{Is: Set{id}}}
	return nil
}

// Of returns what is wrong with a call that gives that errno on a kernel of that series; nothing if
// that is not known.
func (c Causes) Of(s Series, errno string) Set {
	for _, x := range c {
		if inRange(s, x.From, x.To) && (x.Errno == "" || x.Errno == errno) {
			return x.Is
		}
	}
	return nil
}

func (c *checker) checkCauses() {
	known := diagnose.Known()
	for i := range c.Behaviours {
		b := &c.Behaviours[i]
		at := "behaviours.yaml: " + b.ID
		for _, x := range b.Cause {
			if x.Errno != "" && (!c.outcomes[x.Errno] || x.Errno == "OK") {
				c.addf("%s: cause: %q is no errno", at, x.Errno)
			}
			if !x.From.IsZero() && !x.To.IsZero() && x.From.Compare(x.To) > 0 {
				c.addf("%s: cause: from %s is newer than to %s", at, x.From, x.To)
			}
			if len(x.Is) == 0 {
				c.addf("%s: cause: an entry has none", at)
			}
			for _, id := range x.Is {
				if !slices.Contains(known, id) {
					c.addf("%s: cause: there is no cause %q; suites/faults and suites/diagnose have those that there are", at, id)
				}
			}
		}
		if len(b.Cause) > 0 && b.Untold != "" {
			c.addf("%s: it has a cause and says in untold that none can be told", at)
		}
	}
}
