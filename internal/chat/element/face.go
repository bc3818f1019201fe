package element

const kindFace = "TIMFaceElem"

// face is a sticker of the app's own set.
type face struct {
	Index num
	Data  str
}

func (*face) kind() string { return kindFace }

func (f *face) field(name []byte) field {
	switch string(name) {
	case "Index":
		return &f.Index
	case "Data":
		return &f.Data
	}
	return nil
}

// validate requires no field: apps use the one field or the other.
func (*face) validate() error { return nil }

func (*face) digest(l Language) string { return l.say("[Face]", "[表情]") }
