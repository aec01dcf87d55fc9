package normalizer

// TooDeep tells whether JSON nests deeper than max, without building anything: brackets outside strings are counted. What is no JSON
// is not judged.
func TooDeep(json []byte, max int) bool {
	depth, quoted := 0, false
	for i := 0; i < len(json); i++ {
		switch c := json[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{' || c == '[':
			if depth++; depth > max {
				return true
			}
		case c == '}' || c == ']':
			depth--
		}
	}
	return false
}
