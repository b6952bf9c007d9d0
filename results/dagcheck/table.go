package dagcheck

// table numbers texts: equal ones get the same number. Number 0 is the empty text.
type table struct {
	of    map[string]uint32
	texts []string
}

func newTable() *table { return &table{of: map[string]uint32{"": 0}, texts: []string{""}} }

func (t *table) id(text []byte) (id uint32, fresh bool) {
	if id, ok := t.of[string(text)]; ok {
		return id, false
	}
	s := string(text)
	id = uint32(len(t.texts))
	t.of[s] = id
	t.texts = append(t.texts, s)
	return id, true
}
