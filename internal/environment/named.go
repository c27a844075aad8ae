package environment

import "fmt"

// CheckNamed says which of the interpreters that a user named is not there, or no
// program. It starts none of them: whether one answers is for Prepare to find out.
func CheckNamed(pythons, env []string) error {
	s := newSettings(env)
	for _, name := range pythons {
		if _, err := s.lookPath(name); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}
