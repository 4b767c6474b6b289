package knowledge

import "slices"

// Proposal is what a maintainer of the page is told about one matter: which claims of the
// current edition are in question, what kernels do that it is silent about, and what it could
// say instead. What is wrong with the claims, and where, is worked out from observations.
type Proposal struct {
	// ID is permanent.
	ID    string `yaml:"id"`
	Title string `yaml:"title"`
	// Claims of the current edition that the matter is about; may be empty.
	Claims []string `yaml:"claims"`
	// Between names claims of Claims that cannot all be true, if the page contradicts itself.
	Between []string `yaml:"between"`
	// Behaviours that the matter is about beside those that its claims demand something of.
	Behaviours []string `yaml:"behaviours"`
	// Areas and Groups take in what the current edition is silent about: the behaviours of
	// whole areas and of paragraphs of the list of behaviours, unless a proposal names them.
	// Areas go first, then the proposals as the file has them.
	Areas  []string `yaml:"areas"`
	Groups []int    `yaml:"groups"`
	// Show is the behaviour whose steps reproduce the matter.
	Show string `yaml:"show"`
	// Propose is what the page could say; None is the reason why it need not say anything.
	// One of them is given.
	Propose string `yaml:"propose"`
	None    string `yaml:"none"`
}

// Silence returns the behaviours that a proposal covers and that no claim of the current
// edition demands anything of, in the order of the base.
func (b *Base) Silence(p *Proposal) []*Behaviour {
	var out []*Behaviour
	for i := range b.Behaviours {
		if e := &b.Behaviours[i]; b.silent(e) && b.covers(p, e) {
			out = append(out, e)
		}
	}
	return out
}

// Uncovered returns the behaviours that no claim of the current edition demands anything of
// and no proposal covers.
func (b *Base) Uncovered() []*Behaviour {
	var out []*Behaviour
	for i := range b.Behaviours {
		e := &b.Behaviours[i]
		if b.silent(e) && !slices.ContainsFunc(b.Proposals, func(p Proposal) bool { return b.covers(&p, e) }) {
			out = append(out, e)
		}
	}
	return out
}

func (b *Base) silent(e *Behaviour) bool { return len(b.Demands(e.ID, b.Current().ID)) == 0 }

func (b *Base) covers(p *Proposal, e *Behaviour) bool {
	for _, takes := range []func(o *Proposal) bool{
		func(o *Proposal) bool { return slices.Contains(o.Behaviours, e.ID) },
		func(o *Proposal) bool { return slices.Contains(o.Areas, e.Area()) },
		func(o *Proposal) bool {
			return slices.ContainsFunc(e.Groups, func(g int) bool { return slices.Contains(o.Groups, g) })
		},
	} {
		if i := slices.IndexFunc(b.Proposals, func(o Proposal) bool { return takes(&o) }); i >= 0 {
			return b.Proposals[i].ID == p.ID
		}
	}
	return false
}

func (c *checker) checkProposals() {
	seen := map[string]bool{}
	for i := range c.Proposals {
		p := &c.Proposals[i]
		at := "proposals.yaml: " + p.ID
		c.unique("proposals.yaml", p.ID, areaID, seen)
		if p.Title == "" {
			c.addf("%s needs a title", at)
		}
		if (p.Propose == "") == (p.None == "") {
			c.addf("%s needs either what the page could say (propose) or why nothing (none)", at)
		}
		for _, id := range p.Claims {
			cl, ok := c.Claim(id)
			if !ok {
				c.addf("%s: there is no claim %q", at, id)
				continue
			}
			if _, ok := cl.In(c.Current().ID); !ok {
				c.addf("%s: the current edition does not make the claim %s", at, id)
			}
		}
		if len(p.Between) == 1 {
			c.addf("%s: between needs two claims that contradict each other", at)
		}
		for _, id := range p.Between {
			if !slices.Contains(p.Claims, id) {
				c.addf("%s: between names %s, which claims does not", at, id)
			}
		}
		for _, id := range append(slices.Clone(p.Behaviours), p.Show) {
			if _, ok := c.Behaviour(id); !ok && id != "" {
				c.addf("%s: there is no behaviour %q", at, id)
			}
		}
		for _, a := range p.Areas {
			if !slices.ContainsFunc(c.Areas, func(o Area) bool { return o.ID == a }) {
				c.addf("%s: there is no area %q", at, a)
			}
		}
		for _, g := range p.Groups {
			if !slices.ContainsFunc(c.Behaviours, func(b Behaviour) bool { return slices.Contains(b.Groups, g) }) {
				c.addf("%s: no behaviour is of group %d", at, g)
			}
		}
		if len(p.Claims) == 0 && len(c.Silence(p)) == 0 {
			c.addf("%s is about nothing: no claims, and no behaviour that the current edition is silent about", at)
		}
		if p.Show == "" && p.None == "" {
			c.addf("%s needs a behaviour to show", at)
		}
	}
}
