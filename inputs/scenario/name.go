package scenario

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
)

// longestName is the longest name of a scenario, in bytes: file systems take 255, and a
// path has more to hold than one name.
const longestName = 120

// slug makes a text safe as a part of a file name on any file system: ASCII letters and
// digits, dot, dash and plus stay, runs of anything else become one dash. An underscore
// parts the axes of a name and so is none of them.
func slug(text string) string {
	var b strings.Builder
	for _, r := range text {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '.', r == '+':
			b.WriteRune(r)
		case b.Len() > 0 && !strings.HasSuffix(b.String(), "-"):
			b.WriteByte('-')
		}
	}
	return strings.Trim(b.String(), "-.")
}

// safeName is slug for a whole name, in which underscores are as good as any letter.
func safeName(text string) string {
	parts := strings.Split(text, "_")
	var kept []string
	for _, p := range parts {
		if s := slug(p); s != "" {
			kept = append(kept, s)
		}
	}
	return shortened(strings.Join(kept, "_"))
}

// shortened keeps a name within longestName; what is cut off is replaced by a digest of
// the whole, so that two names stay two.
func shortened(name string) string {
	if len(name) <= longestName {
		return name
	}
	sum := sha256.Sum256([]byte(name))
	tail := "-" + hex.EncodeToString(sum[:8])
	return strings.TrimRight(name[:longestName-len(tail)], "-._") + tail
}

// comboName is the name of a combination: "batch-64_use-chat". It is unique because
// slugs are unique on their axis, case apart, and hold no underscore.
func (b *Batch) comboName(chosen []int) string {
	var name strings.Builder
	for k, v := range chosen {
		if k > 0 {
			name.WriteByte('_')
		}
		a := &b.axes[k]
		name.WriteString(slug(a.name))
		name.WriteByte('-')
		name.WriteString(a.values[v].slug)
	}
	return shortened(name.String())
}

// nameValues gives each value of an axis its slug: that of the label, with a number
// behind it where another value has the same; "1", "2", … where a label leaves none.
func nameValues(values []axisValue) {
	taken := map[string]bool{}
	for i := range values {
		s := slug(values[i].label)
		if s == "" {
			s = fmt.Sprint(i + 1)
		}
		unique := s
		for n := 2; taken[strings.ToLower(unique)]; n++ {
			unique = fmt.Sprintf("%s-%d", s, n)
		}
		taken[strings.ToLower(unique)] = true
		values[i].slug = unique
	}
}
