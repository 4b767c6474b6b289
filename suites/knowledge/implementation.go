package knowledge

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// Implementation is a pivot_root(2) that is not Linux', and what is known of it. Nothing here bears
// on a Linux kernel: it has a ledger of its own, and cells of it stand in no range of series.
type Implementation struct {
	// ID is the name of the backend that runs it, such as "gvisor".
	ID    string `yaml:"id"`
	Title string `yaml:"title"`
	// Release is a part of what uname -r says on it, and on no other kernel.
	Release string `yaml:"release"`
	// Like is the Linux series that it is compared with: what the ledger below does not name is
	// expected to be as the ledger of Linux has it for that series.
	Like Series `yaml:"like"`
	// Lacks are features that every Linux kernel has, and without which behaviours cannot be
	// observed.
	Lacks []Lack `yaml:"lacks"`
	// Unjudged are observations that mean nothing on it, by behaviour, each with the reason.
	Unjudged map[string]string `yaml:"unjudged"`
	// Ledger is what it does otherwise than that series of Linux.
	Ledger []Entry `yaml:"ledger"`
}

// Lack is a feature and the behaviours that need it.
type Lack struct {
	Feature    string   `yaml:"feature"`
	Behaviours []string `yaml:"behaviours"`
}

// Own returns the entry of the implementation's own ledger for a behaviour, or nil.
func (i *Implementation) Own(behaviour string) *Entry {
	at := slices.IndexFunc(i.Ledger, func(e Entry) bool { return e.Behaviour == behaviour })
	if at < 0 {
		return nil
	}
	return &i.Ledger[at]
}

// Implementation returns what is known of the implementation of that ID. There is none of Linux.
func (b *Base) Implementation(id string) (*Implementation, bool) {
	i := slices.IndexFunc(b.Implementations, func(i Implementation) bool { return i.ID == id })
	if i < 0 {
		return nil, false
	}
	return &b.Implementations[i], true
}

// Of returns the knowledge as it is to be applied to an implementation: with its ledger in the
// place of Linux', and what it lacks among what behaviours need.
func (b *Base) Of(i *Implementation) *Base {
	out := *b
	out.Behaviours = slices.Clone(b.Behaviours)
	out.Ledger = nil
	out.ledger = map[string][]int{}
	for n := range out.Behaviours {
		if at := &out.Behaviours[n]; at.Needs == "" {
			at.Needs = i.lacked(at.ID)
		}
	}
	out.as, out.linux = i, b
	return &out
}

// Unjudged says why an observation of a behaviour means nothing on the implementation to which the
// knowledge applies, "" if it means something.
func (b *Base) Unjudged(behaviour string) string {
	if b.as == nil {
		return ""
	}
	return b.as.Unjudged[behaviour]
}

// Holder says for a reader of which kernels an entry holds that [Base.Entry] returned: its range,
// and where the knowledge applies to another implementation, whose entry it is.
func (b *Base) Holder(e *Entry) string {
	switch {
	case b.as == nil:
		return e.Range()
	case e == b.as.Own(e.Behaviour):
		return e.Range()
	}
	return fmt.Sprintf("on Linux %s, with which %s is compared", b.as.Like, b.as.Title)
}

// lacked names what a behaviour needs of what the implementation lacks, "" for nothing.
func (i *Implementation) lacked(behaviour string) string {
	var out []string
	for _, l := range i.Lacks {
		if slices.Contains(l.Behaviours, behaviour) {
			out = append(out, l.Feature)
		}
	}
	return strings.Join(out, ", ")
}

// same reports whether two entries allow the same observations.
func (e *Entry) same(o *Entry) bool {
	return slices.Equal(e.Outcome, o.Outcome) && maps.EqualFunc(e.Facts, o.Facts, slices.Equal[Set])
}

var implementationID = regexp.MustCompile(`^[a-z][a-z0-9]*$`)

// checkImplementations finds mistakes in what is known of other implementations.
func (c *checker) checkImplementations() {
	seen := map[string]bool{}
	for n := range c.Implementations {
		i := &c.Implementations[n]
		at := "implementations: " + i.ID
		c.unique("implementations", i.ID, implementationID, seen)
		if i.Title == "" || len(i.Release) < 4 {
			c.addf("%s needs a title and, in release, what tells its kernel from others", at)
		}
		if i.Like.IsZero() {
			c.addf("%s: like has to name the series of Linux that it is compared with", at)
		}
		for _, l := range i.Lacks {
			if l.Feature == "" || len(l.Behaviours) == 0 {
				c.addf("%s: lacks needs a feature and the behaviours that need it", at)
			}
			for _, id := range l.Behaviours {
				if b, ok := c.Behaviour(id); !ok {
					c.addf("%s: lacks: there is no behaviour %q", at, id)
				} else if b.Needs != "" {
					c.addf("%s: lacks: %s needs %s already", at, id, b.Needs)
				}
			}
		}
		for id, reason := range i.Unjudged {
			if _, ok := c.Behaviour(id); !ok || reason == "" {
				c.addf("%s: unjudged: %q has to be a behaviour, and to have a reason", at, id)
			}
		}
		entries := map[string]bool{}
		for k := range i.Ledger {
			e := &i.Ledger[k]
			where := fmt.Sprintf("%s: ledger: %s", at, e.Behaviour)
			c.expectation(where, e.Behaviour, e.Outcome, e.Facts)
			if e.Reason == "" {
				c.addf("%s needs a reason", where)
			}
			if !e.From.IsZero() || !e.To.IsZero() || e.Commit != "" {
				c.addf("%s: from, to and commit are of Linux", where)
			}
			if entries[e.Behaviour] {
				c.addf("%s appears twice", where)
			}
			entries[e.Behaviour] = true
			if l := c.Entry(e.Behaviour, i.Like, ""); l != nil && e.same(l) {
				c.addf("%s is as on Linux %s: leave it out", where, i.Like)
			}
			if i.Unjudged[e.Behaviour] != "" {
				c.addf("%s is unjudged", where)
			}
			c.contradicts(where, e)
		}
	}
}
