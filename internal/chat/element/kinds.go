package element

// content is the MsgContent of one kind of element.
type content interface {
	object
	// kind is the MsgType.
	kind() string
	// validate returns a fault for the first thing that is missing or not allowed.
	validate() error
	// digest is the text an offline push shows for the element; empty for none.
	digest(Language) string
}

// newContent makes room for one MsgContent. Nil means that the MsgType is not known.
func newContent(kind []byte) content {
	switch string(kind) {
	case kindText:
		return new(text)
	case kindCustom:
		return new(custom)
	case kindFace:
		return new(face)
	case kindLocation:
		return new(location)
	case kindImage:
		return new(image)
	case kindSound:
		return new(sound)
	case kindFile:
		return new(file)
	case kindVideo:
		return new(video)
	case kindRelay:
		return new(relay)
	}
	return nil
}

// opaque is the content of an element that a stored body has and this version does not know.
type opaque struct{}

func (opaque) kind() string           { return "" }
func (opaque) field([]byte) field     { return nil }
func (opaque) validate() error        { return nil }
func (opaque) digest(Language) string { return "" }
