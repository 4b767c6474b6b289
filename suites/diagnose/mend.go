package diagnose

// Mend is a way to make a cause vanish.
type Mend struct {
	// Says tells what to do.
	Says string `json:"says" yaml:"says"`
	// Run are commands that do it, in the words of a shell; none if no command can.
	Run []string `json:"run,omitempty" yaml:"run"`
}

func (c *Cause) mend(*Facts) {}
