package element

const kindText = "TIMTextElem"

// text is plain text.
type text struct {
	Text str
}

func (*text) kind() string { return kindText }

func (t *text) field(name []byte) field {
	if string(name) == "Text" {
		return &t.Text
	}
	return nil
}

// validate takes an empty text: the reference system's rule for it is not documented.
func (t *text) validate() error {
	if !t.Text.set {
		return inField("Text", missing())
	}
	return nil
}

func (t *text) digest(Language) string { return t.Text.text }
