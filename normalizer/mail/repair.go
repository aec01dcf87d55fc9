package mail

// A Repair says what had to be mended or left out to read a mail.
type Repair struct {
	Code   RepairCode
	Detail string // What it was about: a charset, a field name, a number. May be "".
}

// RepairCode names a kind of repair.
type RepairCode string

const (
	RepairMbox       RepairCode = "mbox_line"
	RepairLineEnds   RepairCode = "line_ends"
	RepairHeaderLine RepairCode = "header_line"
	RepairHeaderCut  RepairCode = "header_cut"
	RepairNoHeader   RepairCode = "no_header"
	RepairSeparator  RepairCode = "header_separator"
	RepairCharset    RepairCode = "charset"
	RepairHeader8bit RepairCode = "header_8bit"
	RepairEncoding   RepairCode = "transfer_encoding"
	RepairBase64     RepairCode = "base64"
	RepairBoundary   RepairCode = "boundary"
	RepairParts      RepairCode = "parts_cut"
	RepairDepth      RepairCode = "depth_cut"
	RepairText       RepairCode = "text_cut"
	RepairAddresses  RepairCode = "addresses_cut"
	RepairAddress    RepairCode = "address"
	RepairDate       RepairCode = "date"
	RepairTNEF       RepairCode = "tnef"
	RepairSecondary  RepairCode = "second_reader"
	RepairRaw        RepairCode = "raw"
)

var repairWords = map[RepairCode][2]string{
	RepairMbox:       {"removed a mailbox line before the header", "已去掉邮件头前的邮箱分隔行"},
	RepairLineEnds:   {"unusual line ends", "换行符不规范，已更正"},
	RepairHeaderLine: {"skipped a line of the header that is none", "已跳过邮件头中的无效行"},
	RepairHeaderCut:  {"the header is too long, the rest was left out", "邮件头过长，其余部分已省略"},
	RepairNoHeader:   {"the mail has no header", "邮件没有邮件头"},
	RepairSeparator:  {"no empty line between header and text", "邮件头与正文之间缺少空行"},
	RepairCharset:    {"the character set was missing or wrong, read as", "字符集缺失或有误，按此读取"},
	RepairHeader8bit: {"header written without declaring a character set, read as", "邮件头未声明字符集，按此读取"},
	RepairEncoding:   {"unknown transfer encoding, taken as it is", "未知的传输编码，按原样读取"},
	RepairBase64:     {"damaged or truncated encoding", "编码损坏或被截断"},
	RepairBoundary:   {"the parts are not separated as announced", "邮件各部分的分隔不完整"},
	RepairParts:      {"too many parts, the rest was left out", "邮件部分过多，其余已省略"},
	RepairDepth:      {"nested too deeply, the rest was left out", "嵌套过深，其余已省略"},
	RepairText:       {"the text is too long, the rest is in the original", "正文过长，其余见原始邮件"},
	RepairAddresses:  {"too many addresses, the rest was left out", "地址过多，其余已省略"},
	RepairAddress:    {"unreadable address in", "无法识别的地址"},
	RepairDate:       {"unreadable date", "无法识别的日期"},
	RepairTNEF:       {"unpacked winmail.dat", "已解开 winmail.dat"},
	RepairSecondary:  {"read with the second reader", "已用备用方式读取"},
	RepairRaw:        {"could not be read as a mail, shown as raw text", "无法按邮件解析，显示原始文本"},
}

// Words says the repair in a sentence: English, or Chinese when lang begins with "zh".
func (r Repair) Words(lang string) string {
	words := repairWords[r.Code]
	text := words[0]
	if len(lang) >= 2 && lang[:2] == "zh" {
		text = words[1]
	}
	if r.Detail != "" {
		text += ": " + r.Detail
	}
	return text
}

// repairs collects each repair once.
type repairs struct{ list []Repair }

func (r *repairs) add(code RepairCode, detail string) {
	if len(detail) > 80 {
		detail = detail[:80]
	}
	for _, have := range r.list {
		if have.Code == code && (have.Detail == detail || detail == "") {
			return
		}
	}
	if len(r.list) < 40 {
		r.list = append(r.list, Repair{Code: code, Detail: detail})
	}
}
