"""What a reply does, whatever its subject: gives a name, asks for somebody, protests, pushes on.

Patterns in Mandarin (in the spelling of `normalize_mandarin`: simplified, 你 for 您, 二 for 两, no commas) and in
English (lower case). They look for how people answer a stranger's question, not for what is sold.
"""

import re
from enum import StrEnum

from detector.text.normalize import normalize_mandarin

__all__ = ["Move", "count_units", "find_moves", "is_puzzled", "normalize_reply", "speaks_dialect"]


class Move(StrEnum):
    """One thing that a reply does."""

    IDENTITY = "identity"
    """Says who is calling: a name, a firm, a trade, a relation."""
    CALLEE = "callee"
    """Says whom he wants, or asks whether he has reached them."""
    PURPOSE = "purpose"
    """Names a matter of daily life: a parcel, an appointment, a child."""
    ASSENT = "assent"
    """Agrees to wait, or says that he cannot."""
    WEEKDAY = "weekday"
    NUMBER = "number"
    KEYPAD = "keypad"
    """Says that he has pressed a key, or that he cannot."""
    IRRITATION = "irritation"
    """Protests, or remarks on talking to a machine."""
    HEARING = "hearing"
    """Did not hear or understand."""
    DENIAL = "denial"
    """Says that he sells nothing, or has the wrong number."""
    PUSH = "push"
    """Brushes the question aside and goes on offering."""


_SURNAMES = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾萧田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈"
    "姚卢姜崔钟谭陆汪范金石廖贾夏韦方白邹孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严武戴莫孔向汤"
)
_NUMERAL = "零一二三四五六七八九十百"

_ZH = {
    Move.IDENTITY: (
        r"我姓|免贵|我叫|叫我|我就?是(?![说想要给为来不怕])|这里是|"
        rf"这边是.{{0,10}}(公司|医院|学校|银行|中心|店)|[老小][{_SURNAMES}](?!区|店|层)|姓[{_SURNAMES}]|"
        r"(公司|中心|医院|学校|小学|中学|幼儿园|银行|物业|派出所|社区|居委会|快递|外卖|物流|超市"
        r"|酒店|诊所|门诊|4s店|店里|平台|站点|驿站|单位)的|中通|圆通|申通|韵达|顺丰|京东|美团|饿了么|邮政|"
        r"菜鸟|滴滴|"
        r"(你|他)?(爸|妈|爷爷|奶奶|外公|外婆|姥姥|姥爷|舅|姑|叔|婶|姨|哥|姐|弟|妹|老公|老婆|同学"
        r"|同事|邻居|房东|老师|战友|亲戚|朋友)$|我(老爸|老妈|爸|妈)|"
        r"你(大爷|二叔|三叔|大姨|二姨|小姨|大姑)|(司机|师傅|护士|医生|大夫|保安|骑手|班主任)[啊呀]?(。|$)|"
        r"(送|跑|开|修|装).{1,4}的$|他(同学|同事|朋友|哥|姐|妈|爸|老婆|老公|邻居)|是我[啊呀哇]"
    ),
    Move.CALLEE: (
        r"找|收件人|机主|本人|户主|车主|业主|家长|号主|尾号|"
        r"(先生|女士|小姐|太太|老师|老板|经理|医生|主任|阿姨|叔叔|总)(在|吗|吧|么|不|家|本人|的?电话|。?$)|"
        r"你是.{1,8}[吗吧么不]|是不是.{1,5}(家|吗|。|$)|是.{1,8}(电话|手机|号码)[吗吧么不啊]|"
        r"(他|你)(的)?(电话|手机|号码)([吗吧么不啊]|。|$)|"
        r"(打|拨)给|(爸|妈|爷爷|奶奶|爷|奶|哥|姐|叔|姨|舅)在(家|不|吗|吧|么)|在(家)?(吗|不在|么)|就是?你"
    ),
    Move.PURPOSE: (
        r"快递|包裹|外卖|餐|取件|签收|门口|门卫|楼下|楼上|小区|电梯|柜|上门|送货|搬家|货|水表|漏水|停电|"
        r"物业|打车|上车|下车|接(人|你|他|孩子)|定位|到了|在哪|预约|挂号|复查|检查|体检|报告|住院|手术|药|"
        r"看病|医院|孩子|作业|请假|家长会|学校|放学|面试|开会|合同|单位|上班|维修|修|师傅|"
        r"证件|社区|登记|户口|回个?电话|打听|托我|说个?事|的事|有(点|个|件)?事|问(一下|你(个|件)?事|个)|聚|吃饭|"
        r"生日|借|还你|钱包|手机(落|掉|丢)|落在"
    ),
    Move.ASSENT: (
        r"^(哎|唉|诶|啊|哦|噢|那|喔)*(好|行|中|成|可以|没事|不急|没问题|对|是|嗯|ok|okay)|等|快点|快一点|"
        r"抓紧|赶时间|忙着|稍后|一会|马上|挂了|算了|不用了"
    ),
    Move.WEEKDAY: (
        r"(星期|周|礼拜)[一二三四五六日天]|星期几|周几|礼拜几|[零一二三四五六七八九十]月.{0,4}[号日]|"
        r"[一二三四五六七八九十]号"
    ),
    Move.NUMBER: (
        rf"等于|^(是|就是|嗯|啊|等于)*[{_NUMERAL}\d]{{1,4}}(啊|呀|吧|嘛|呗|个|块|点|。|$)|[{_NUMERAL}\d]{{1,3}}[啊呀吧嘛呗]"
    ),
    Move.KEYPAD: (
        r"按(过|好|完)?了(?!解)|按不(了|到|出|动)|(没法|没办法|不能|不会|不方便|怎么|哪里|哪儿|去哪)按|按哪|"
        r"(没有?|哪有|找不到).{0,4}(键|拨号盘)|开着车|在开车|腾不出手|手里.{0,4}(拿|提|抱)"
    ),
    Move.IRRITATION: (
        r"有病|神经|毛病|干嘛|干吗|干啥|干什么|问这个|问这些|机器人|什么玩意|搞什么|搞啥|莫名其妙|"
        r"(?<!麻)烦|"
        r"无聊|废话|啰嗦|(?<!转)人工(?!客服|服务|坐席|智能)|真人|语音助|智能助|你(到底)?(是)?谁|你谁|哪位|你哪里|什么意思|怎么回事|"
        r"为什么|为啥|凭什么|查户口|跟你说不|说不清|懒得|开玩笑|逗我|考我|弱智|傻|我靠|妈的|滚|不懂你"
    ),
    Move.HEARING: (
        r"喂|听不(见|清|到|懂)|没听(见|清|到|懂)|听得(见|到|清)|你说什么|你说啥|说什么|说啥|再说一(遍|次)|"
        r"(不|没)(太|大|怎么)?明白|听得?不懂|听不明白|你说的(是)?(啥|什么)|信号|大声|大点声|^(啊|哈|嗯|什么|啥|咋|哎|呃)+。?$|^(啊|什么|啥)。"
    ),
    Move.DENIAL: (
        r"不是(推销|骗子|广告|卖|搞|做|打广告|诈骗)|谁(跟|给|向)?你?推销|推销(什么|啥|个)|"
        r"我不(卖|推销|是卖)|没(有)?推销|打错|拨错|弄错|你.{0,3}(快递|外卖|包裹|东西|孩子|车).{0,2}(到了|到门|在门|在楼|在这|放在|挡)"
    ),
    Move.PUSH: (
        r"没关系|没事的|别急|先别|别挂|不要挂|不要着急|不耽误|耽误|打扰你.{0,3}分钟|[一二几]分钟|占用|"
        r"加.{0,4}(微信|v信|薇信|威信)|发.{0,8}(微信|短信|资料|方案)|了解一下|了解下|考虑|看看方案|优惠|"
        r"名额|活动|免费|机会|介绍|报个?价|不用担心|放心|感?兴趣|贷款|额度|利息|投资|理财|收益|保险|课程|"
        r"试听|楼盘|户型|看房|首付|套餐|福利|赠送|办理|咨询|需要的话|有需要"
    ),
}

_EN = {
    Move.IDENTITY: (
        r"\bmy name\b|\bname'?s\b|"
        r"\b(i'?m|i am|this is|it'?s) (?!calling|just calling|not|about|going|a special"
        r"|an? (?:offer|important))\w+|\b(from|with) (the )?\w+|"
        r"\b(mom|mum|dad|grandma|grandpa|neighbou?r|cousin|brother|sister|doctor|nurse|teacher"
        r"|driver|courier)\b"
    ),
    Move.CALLEE: (
        r"\blooking for\b|\bspeak (to|with)\b|\btalk to\b|\btrying to reach\b|"
        r"\bis (this|that|he|she|\w+) (there|here|home|in)\b|\b(mr|mrs|ms|miss|mister|doctor|dr)\b|"
        r"\bis this \w+|\bthe (owner|recipient|account holder)\b|\bfor (him|her|you)\b"
    ),
    Move.PURPOSE: (
        r"\b(package|parcel|delivery|deliver|order|food|pick(ing)? (it |you )?up|appointment"
        r"|doctor|clinic|hospital|school|kids?|son|daughter|homework|meeting|interview|work|office"
        r"|gate|door|lobby|outside|downstairs|car|ride|leak|repair|plumber|wallet|keys|dinner"
        r"|birthday|call (me|him|her|us) back|message|question about)\b"
    ),
    Move.ASSENT: (
        r"^(ok(ay)?|sure|yes|yeah|yep|fine|alright|all right|no problem|go ahead)\b|\bi'?ll (wait|hold)\b|"
        r"\b(hurry|quick|rush|wait|hold on)\b|\bno (rush|worries)\b|\bforget it\b"
    ),
    Move.WEEKDAY: (
        r"\b(mon|tues|wednes|thurs|fri|satur|sun)day\b|"
        r"\b(january|february|april|june|july|august|september|october|november|december)\b|"
        r"\b\w+(st|nd|rd|th)\b"
    ),
    Move.NUMBER: (
        r"^(it'?s |that'?s |uh |um )*(\d{1,3}|zero|one|two|three|four|five|six|seven|eight|nine"
        r"|ten|eleven|twelve|twenty)\b"
    ),
    Move.KEYPAD: (
        r"\b(pressed|pushed)\b|\bi (did|have) (press|push)\b|\b(can'?t|cannot|how do i|where do i) (press|push)\b|"
        r"\b(no|don'?t have a|can'?t find the|where is the) (keypad|keys?|buttons?|dial)\b|\bdriving\b|"
        r"\b(hands are|my hands) full\b"
    ),
    Move.IRRITATION: (
        r"\b(robot|machine|bot|ai|automated|computer|real person|human|kidding|seriously|stupid"
        r"|ridiculous|silly|crazy|annoying|hell|damn)\b|\bwho (is|are) (this|you)\b|\bwhat (is|kind of)\b|"
        r"\bwhy (are|do|would) you\b|\bwhat do you mean\b"
    ),
    Move.HEARING: (
        r"\bhello\b|\bcan you hear\b|\bcan'?t hear\b|\bcannot hear\b|\bsay (that |it )?again\b|\bpardon\b|"
        r"\bspeak up\b|\bbreaking up\b|\bwhat did you say\b|\b(don'?t|do not|didn'?t|can'?t) understand\b|"
        r"\byou'?re (on|talking|going on) about\b|\bare you (on|talking|going on) about\b|\bno idea what you\b|"
        r"^(what|huh|sorry|eh|uh)\W*$"
    ),
    Move.DENIAL: (
        r"\bnot (selling|a (sales|tele|scam))|\bi don'?t sell\b|\bwrong number\b|"
        r"\bno,? (this is|i'?m) (not|your)\b|"
        r"\byour (package|parcel|order|delivery|food|kid|son|daughter|car)\b"
    ),
    Move.PUSH: (
        r"\b(offer|free|discount|qualif\w+|eligible|limited time|interest rates?|rates?|save you"
        r"|savings|no obligation|press (one|two|1|2)|warranty|loan|credit card|insurance|policy"
        r"|investment|opportunity|promotion|upgrade|just (a|one|two) minutes?|don'?t hang up"
        r"|before you go|text you|send you (the|some)|are you interested|benefits?)\b"
    ),
}

_PATTERNS = {
    "zh": {move: re.compile(pattern) for move, pattern in _ZH.items()},
    "en": {move: re.compile(pattern) for move, pattern in _EN.items()},
}
_SAYS_MORE = frozenset({Move.IDENTITY, Move.CALLEE, Move.PURPOSE, Move.DENIAL, Move.PUSH})
_PUZZLED_LONGEST = 16
"""Characters or words."""
_HAN = re.compile(r"[㐀-鿿]")
_WORD = re.compile(r"[a-z0-9']+")
_STUTTER = re.compile(r"([㐀-鿿]{1,3}?)\1{1,}")
_DIALECT = re.compile(
    r"俺|咱们?那|啥子|啷个|晓得|莫得|要得|侬|阿拉|伐啦|嘅|唔|冇|係|佢|喺|咁|点解|得劲|弄啥|恁|嘞|娃儿|哪个嘛|搞么子|冒得"
)


def normalize_reply(text: str) -> str:
    """Bring a reply into the spelling of the patterns."""
    if _HAN.search(text):
        return normalize_mandarin(text).text.strip("。 ")
    return " ".join(_WORD.findall(text.lower().replace("’", "'")))


def count_units(reply: str) -> int:
    """Count Chinese characters, or words where there are none."""
    return len(_HAN.findall(reply)) or len(_WORD.findall(reply))


def find_moves(reply: str) -> frozenset[Move]:
    """Find what a normalized reply does; a stutterer's syllables count once as well as they stand."""
    is_han = _HAN.search(reply) is not None
    patterns = _PATTERNS["zh" if is_han else "en"]
    forms = {reply, _STUTTER.sub(r"\1", reply)}
    return frozenset(
        move for move, pattern in patterns.items() if any(pattern.search(form) for form in forms)
    )


def is_puzzled(text: str) -> bool:
    """Whether a reply says that the caller did not hear or understand, and little else."""
    reply = normalize_reply(text)
    moves = find_moves(reply)
    return Move.HEARING in moves and not moves & _SAYS_MORE and count_units(reply) <= _PUZZLED_LONGEST


def speaks_dialect(text: str) -> bool:
    """Whether a text has words that standard Mandarin does not use: recognition will have misheard the rest."""
    return _DIALECT.search(text) is not None
