package element

const kindVideo = "TIMVideoFileElem"

// video is a short film and its cover picture. The web SDK sends the cover a second time under Snapshot names, which are
// kept and not read.
type video struct {
	VideoURL, VideoUUID, VideoFormat   str
	VideoSize                          num // bytes
	VideoSecond                        num
	VideoDownload                      num // VideoDownloadFlag
	ThumbURL, ThumbUUID, ThumbFormat   str
	ThumbSize, ThumbWidth, ThumbHeight num
	ThumbDownload                      num // ThumbDownloadFlag
}

func (*video) kind() string { return kindVideo }

func (v *video) field(name []byte) field {
	switch string(name) {
	case "VideoUrl":
		return &v.VideoURL
	case "VideoUUID":
		return &v.VideoUUID
	case "VideoFormat":
		return &v.VideoFormat
	case "VideoSize":
		return &v.VideoSize
	case "VideoSecond":
		return &v.VideoSecond
	case "VideoDownloadFlag":
		return &v.VideoDownload
	}
	return v.thumbField(name)
}

func (v *video) thumbField(name []byte) field {
	switch string(name) {
	case "ThumbUrl":
		return &v.ThumbURL
	case "ThumbUUID":
		return &v.ThumbUUID
	case "ThumbFormat":
		return &v.ThumbFormat
	case "ThumbSize":
		return &v.ThumbSize
	case "ThumbWidth":
		return &v.ThumbWidth
	case "ThumbHeight":
		return &v.ThumbHeight
	case "ThumbDownloadFlag":
		return &v.ThumbDownload
	}
	return nil
}

func (v *video) validate() error {
	return firstOf(
		v.VideoURL.need("VideoUrl"), v.VideoUUID.need("VideoUUID"),
		v.VideoDownload.needDownload("VideoDownloadFlag"),
		v.ThumbURL.need("ThumbUrl"), v.ThumbUUID.need("ThumbUUID"),
		v.ThumbWidth.need("ThumbWidth"), v.ThumbHeight.need("ThumbHeight"),
		v.ThumbDownload.needDownload("ThumbDownloadFlag"),
	)
}

// digest has no word in the documentation; it follows the form of those that have one.
func (*video) digest(l Language) string { return l.say("[Video]", "[视频]") }
