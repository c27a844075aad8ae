package release

import (
	"errors"
	"strings"
)

// split makes arguments of a command line as a shell does: blanks part them,
// quotes and a backslash keep what they hold. Nothing else has a meaning; there
// is no shell.
func split(line string) ([]string, error) {
	var (
		args []string
		word strings.Builder
		inside,
		escaped bool
		quote rune
	)
	for _, r := range line {
		switch {
		case escaped:
			word.WriteRune(r)
			escaped = false
		case r == '\\' && quote != '\'':
			escaped, inside = true, true
		case quote != 0 && r == quote:
			quote = 0
		case quote != 0:
			word.WriteRune(r)
		case r == '\'' || r == '"':
			quote, inside = r, true
		case r == ' ' || r == '\t' || r == '\n':
			if inside {
				args = append(args, word.String())
			}
			word.Reset()
			inside = false
		default:
			word.WriteRune(r)
			inside = true
		}
	}
	if quote != 0 || escaped {
		return nil, errors.New("a quote is not closed")
	}
	if inside {
		args = append(args, word.String())
	}
	return args, nil
}
