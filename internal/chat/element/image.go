package element

const kindImage = "TIMImageElem"

// image is a picture in up to three sizes: original, large and thumbnail.
type image struct {
	UUID        str
	ImageFormat num // 1 JPG, 2 GIF, 3 PNG, 4 BMP, 255 other
	Sizes       imageSizes
}

func (*image) kind() string { return kindImage }

func (m *image) field(name []byte) field {
	switch string(name) {
	case "UUID":
		return &m.UUID
	case "ImageFormat":
		return &m.ImageFormat
	case "ImageInfoArray":
		return &m.Sizes
	}
	return nil
}

func (m *image) validate() error {
	if err := m.UUID.need("UUID"); err != nil {
		return err
	}
	return inField("ImageInfoArray", m.Sizes.validate())
}

// digest has no word in the documentation; it follows the form of those that have one.
func (*image) digest(l Language) string { return l.say("[Image]", "[图片]") }

// imageSizes is ImageInfoArray.
type imageSizes struct {
	set   bool
	sizes []imageSize
}

func (s *imageSizes) read(p *normalizer) error {
	s.set = true
	return p.array(func(i int) error {
		var size imageSize
		err := p.object(&size)
		s.sizes = append(s.sizes, size)
		return inIndex(i, err)
	})
}

func (s *imageSizes) validate() error {
	switch {
	case !s.set:
		return missing()
	case len(s.sizes) == 0:
		return faultf("is empty")
	}
	for i := range s.sizes {
		if err := s.sizes[i].validate(); err != nil {
			return inIndex(i, err)
		}
	}
	return nil
}

// imageSize is one of them. Clients add members of their own (InstanceId, MsgType), which are kept.
type imageSize struct {
	Type                num // 1 original, 2 large, 3 thumbnail
	Size, Width, Height num // Width and Height may be 0: not known
	URL                 str
}

func (s *imageSize) field(name []byte) field {
	switch string(name) {
	case "Type":
		return &s.Type
	case "Size":
		return &s.Size
	case "Width":
		return &s.Width
	case "Height":
		return &s.Height
	case "URL":
		return &s.URL
	}
	return nil
}

func (s *imageSize) validate() error {
	return firstOf(s.URL.need("URL"), s.Width.need("Width"), s.Height.need("Height"))
}
