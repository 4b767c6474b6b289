package knowledge

import (
	"cmp"
	"maps"
	"slices"
)

// Audience is a kind of programs, or of people, that can notice when a kernel changes.
type Audience struct {
	// ID is permanent.
	ID    string `yaml:"id"`
	Title string `yaml:"title"`
}

// Grade is how likely an audience is to notice a change.
type Grade string

// The grades.
const (
	Likely   Grade = "likely"   // its programs do this, and do not go on where it comes out otherwise
	Possible Grade = "possible" // some of its programs do this, or have another way
	Unlikely Grade = "unlikely" // it takes a program of which nobody here knows
)

// Grades lists the grades, the most likely first.
func Grades() []Grade { return []Grade{Likely, Possible, Unlikely} }

// Aspect is what of a behaviour changes, for that decides who notices.
type Aspect string

// The aspects.
const (
	// AspectCall: the call begins or ceases to succeed, or the feature that it takes comes or goes.
	AspectCall Aspect = "call"
	// AspectErrno: it fails with another error.
	AspectErrno Aspect = "errno"
	// AspectFacts: it comes out the same, and what goes with it is otherwise.
	AspectFacts Aspect = "facts"
)

// Notice says who notices if a behaviour changes.
type Notice struct {
	// Of is an area, or a behaviour. What a behaviour's own notice says takes the place of what that
	// of its area says of the same aspect, or of the same fact.
	Of string `yaml:"of"`
	// Call, Errno and Facts grade audiences by ID, for each [Aspect].
	Call  map[string]Grade `yaml:"call"`
	Errno map[string]Grade `yaml:"errno"`
	Facts map[string]Grade `yaml:"facts"`
	// Free names facts on whose values nobody can rely, with the reason. On every other fact somebody
	// may: see package change.
	Free map[string]string `yaml:"free"`
	// Better has values of facts that serve every program as well as any other value does, so that a
	// change to one of them takes nothing away.
	Better map[string]Set `yaml:"better"`
}

// graded returns who notices if that aspect changes, nil if the notice does not say.
func (n *Notice) graded(a Aspect) map[string]Grade {
	switch a {
	case AspectCall:
		return n.Call
	case AspectErrno:
		return n.Errno
	}
	return n.Facts
}

// Noticed is an audience and how likely it is to notice.
type Noticed struct {
	Audience *Audience
	// Rank is the audience's place in the list of audiences.
	Rank  int
	Grade Grade
}

// Noticed returns who notices if an aspect of a behaviour changes, the most likely first, then in the
// order of the list of audiences. There is nobody for a behaviour of an unknown area.
func (b *Base) Noticed(behaviour string, a Aspect) []Noticed {
	var grades map[string]Grade
	for _, n := range b.notices(behaviour) {
		if g := n.graded(a); g != nil {
			grades = g
		}
	}
	var out []Noticed
	for i := range b.Audiences {
		if g, ok := grades[b.Audiences[i].ID]; ok {
			out = append(out, Noticed{&b.Audiences[i], i, g})
		}
	}
	rank := Grades()
	slices.SortStableFunc(out, func(x, y Noticed) int {
		return cmp.Compare(slices.Index(rank, x.Grade), slices.Index(rank, y.Grade))
	})
	return out
}

// FreeFact says why nobody can rely on the value of a behaviour's fact, "" if somebody may.
func (b *Base) FreeFact(behaviour, fact string) string {
	why := ""
	for _, n := range b.notices(behaviour) {
		why = cmp.Or(n.Free[fact], why)
	}
	return why
}

// BetterFact reports whether a value of a behaviour's fact serves every program as well as any other.
func (b *Base) BetterFact(behaviour, fact, value string) bool {
	return slices.ContainsFunc(b.notices(behaviour), func(n *Notice) bool { return n.Better[fact].Has(value) })
}

// notices returns what is said of the behaviour's area, then what of itself.
func (b *Base) notices(behaviour string) []*Notice {
	var out []*Notice
	for _, of := range []string{(&Behaviour{ID: behaviour}).Area(), behaviour} {
		if i := slices.IndexFunc(b.Notices, func(n Notice) bool { return n.Of == of }); i >= 0 {
			out = append(out, &b.Notices[i])
		}
	}
	return out
}

// checkNotices finds mistakes in what is said of who notices. Every area has to say it of every aspect, so that a
// new behaviour has an audience from the first. Knowledge without audiences is that of tests.
func (c *checker) checkNotices() {
	seen := map[string]bool{}
	for _, a := range c.Audiences {
		c.unique("audiences.yaml", a.ID, areaID, seen)
		if a.Title == "" {
			c.addf("audiences.yaml: %s needs a title", a.ID)
		}
	}
	named, used := map[string]bool{}, map[string]bool{}
	for i := range c.Notices {
		n := &c.Notices[i]
		at := "notices.yaml: " + n.Of
		if named[n.Of] {
			c.addf("%s appears twice", at)
		}
		named[n.Of] = true
		isArea := slices.ContainsFunc(c.Areas, func(a Area) bool { return a.ID == n.Of })
		_, isBehaviour := c.Behaviour(n.Of)
		if !isArea && !isBehaviour {
			c.addf("%s is neither an area nor a behaviour", at)
			continue
		}
		for _, a := range []Aspect{AspectCall, AspectErrno, AspectFacts} {
			if isArea && len(n.graded(a)) == 0 {
				c.addf("%s needs an audience in %s", at, a)
			}
			for _, id := range slices.Sorted(maps.Keys(n.graded(a))) {
				used[id] = true
				if !seen[id] {
					c.addf("%s: %s: there is no audience %q", at, a, id)
				}
				if g := n.graded(a)[id]; !slices.Contains(Grades(), g) {
					c.addf("%s: %s: %s: grade %q is none of likely, possible, unlikely", at, a, id, g)
				}
			}
		}
		for _, f := range slices.Sorted(maps.Keys(n.Free)) {
			c.factOf(at+": free", n.Of, f)
			if n.Free[f] == "" {
				c.addf("%s: free: %s needs a reason", at, f)
			}
		}
		for _, f := range slices.Sorted(maps.Keys(n.Better)) {
			c.factOf(at+": better", n.Of, f)
			if len(n.Better[f]) == 0 {
				c.addf("%s: better: %s needs a value", at, f)
			}
			if n.Free[f] != "" {
				c.addf("%s: fact %s is free already", at, f)
			}
		}
	}
	if len(c.Audiences)+len(c.Notices) == 0 {
		return
	}
	for _, a := range c.Areas {
		if !named[a.ID] {
			c.addf("notices.yaml: nobody notices what changes in the area %s", a.ID)
		}
	}
	for _, a := range c.Audiences {
		if !used[a.ID] {
			c.addf("audiences.yaml: %s notices nothing", a.ID)
		}
	}
}

// factOf checks that of, an area or a behaviour, has a fact that is compared.
func (c *checker) factOf(at, of, fact string) {
	for i := range c.Behaviours {
		b := &c.Behaviours[i]
		if _, ok := b.Facts[fact]; ok && !b.IsInfo(fact) && (b.ID == of || b.Area() == of) {
			return
		}
	}
	c.addf("%s: there is no compared fact %s of %s", at, fact, of)
}
