package element

const kindFile = "TIMFileElem"

// file is a file of any kind.
type file struct {
	URL, UUID, FileName str
	FileSize            num // bytes
	Download            num // Download_Flag
}

func (*file) kind() string { return kindFile }

func (f *file) field(name []byte) field {
	switch string(name) {
	case "Url":
		return &f.URL
	case "UUID":
		return &f.UUID
	case "FileName":
		return &f.FileName
	case "FileSize":
		return &f.FileSize
	case "Download_Flag":
		return &f.Download
	}
	return nil
}

func (f *file) validate() error {
	return firstOf(f.URL.need("Url"), f.UUID.need("UUID"), f.Download.needDownload("Download_Flag"))
}

// digest has no word in the documentation; it follows the form of those that have one.
func (*file) digest(l Language) string { return l.say("[File]", "[文件]") }
