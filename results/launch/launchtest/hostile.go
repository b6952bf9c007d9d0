package launchtest

import "pgregory.net/rapid"

// Hostile are names that mean something to a shell, to YAML, to DOT, to HTML or to an
// option parser. Each would leave a trace under Run where it is not quoted: a call of
// "touch" or "rm", or a file named pwned.
func Hostile() []string {
	return []string{
		`"; rm -rf ~; <script>`,
		"$(touch pwned)",
		"`touch pwned`",
		"a b'c\"d",
		"line\ntouch pwned\n",
		"\r\n>pwned",
		"--help",
		"-x",
		"a;touch pwned&",
		"'; touch pwned; '",
		`\`,
		"$HOME/*?[a]{b,c}~",
		"!event # comment",
		"key: [value, {x: &a *a}]",
		"@a|b>pwned<c",
		"\x1b[31mred\x07",
		"日本 ü\u202e",
		"%s%n$0",
		"EOF\ntouch pwned\nEOF",
		" ",
	}
}

// Name draws a name: a plain one, one of Hostile, or any text without a NUL, which no
// program can be given. It is never empty.
func Name() *rapid.Generator[string] {
	return rapid.OneOf(
		rapid.StringMatching(`[a-z][a-z0-9.-]{0,12}`),
		rapid.SampledFrom(Hostile()),
		rapid.StringOfN(rapid.Rune().Filter(func(r rune) bool { return r != 0 }), 1, 12, -1),
	)
}
