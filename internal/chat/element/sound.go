package element

const kindSound = "TIMSoundElem"

// sound is a voice message.
type sound struct {
	URL, UUID str
	Size      num // bytes
	Second    num
	Download  num // Download_Flag
}

func (*sound) kind() string { return kindSound }

func (s *sound) field(name []byte) field {
	switch string(name) {
	case "Url":
		return &s.URL
	case "UUID":
		return &s.UUID
	case "Size":
		return &s.Size
	case "Second":
		return &s.Second
	case "Download_Flag":
		return &s.Download
	}
	return nil
}

func (s *sound) validate() error {
	return firstOf(s.URL.need("Url"), s.UUID.need("UUID"), s.Download.needDownload("Download_Flag"))
}

// digest has no word in the documentation; it follows the form of those that have one.
func (*sound) digest(l Language) string { return l.say("[Voice]", "[语音]") }
