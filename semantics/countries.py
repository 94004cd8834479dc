"""Which country is meant by a code or a name that somebody typed: as ISO 3166, for reading telephone numbers.

The names of the regions that have numbers of their own, in English, German, French, Spanish, Italian, Dutch,
Portuguese, Polish, Japanese, Chinese, Korean, Russian, and many in the language spoken there; and usual short forms.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

import phonenumbers

from semantics.vocabulary import folded

_LONGEST: Final = 80  # characters; what is longer is no country's name
_NOT_A_LETTER: Final = re.compile(r"[\W_]+")
_BEYOND_ISO: Final = {"uk": "GB", "el": "GR", "ivorycoast": "CI"}  # as the European Union writes them
_NAMES: Final = """
    AD andorra andorre andora アンドラ 安道尔 안도라 андорра AE unitedarabemirates vereinigtearabischeemirate
    emiratsarabesunis emiratosárabesunidos emiratiarabiuniti verenigdearabischeemiraten emiradosárabesunidos
    zjednoczoneemiratyarabskie アラブ首長国連邦 阿拉伯联合酋长国 아랍에미리트 объединенныеарабскиеэмираты are uae vae
    AF afghanistan afganistán afeganistão アフガニスタン 阿富汗 아프가니스탄 афганистан AG antiguaandbarbuda
    antiguaundbarbuda antiguaetbarbuda antiguaybarbuda antiguaebarbuda antiguaenbarbuda アンチグアバーブーダ
    安提瓜和巴布达 앤티가바부다 AI anguilla anguila アンギラ 安圭拉 안길라 ангуила AL albania albanien albanie
    アルバニア 阿尔巴尼亚 알바니아 албания AM armenia armenien arménie アルメニア 亚美尼亚 아르메니아 армения AO
    angola アンゴラ 安哥拉 앙골라 ангола AR argentina argentinien argentine argentinië argentyna アルゼンチン 阿根廷
    아르헨티나 аргентина arg AS americansamoa amerikanischsamoa samoaaméricaines samoaamericana samoaamericane
    amerikaanssamoa アメリカンサモア 东萨摩亚 미국령사모아 AT austria österreich autriche oostenrijk オーストリア
    奥地利 오스트리아 австрия aut oesterreich AU australia australien australie オーストラリア 澳大利亚 오스트레일리아
    австралия aus AW aruba アルバ島 阿鲁巴 아루바 аруба AX ålandislands aalandinseln îlesåland islasaland isolealand
    alandeilanden ilhasaland オーランド諸島 奥兰群岛 올란드제도 AZ azerbaijan aserbaidschan azerbaïdjan azerbaiyán
    azerbaigian azerbeidzjan azerbaijão azerbejdżan アゼルバイジャン 阿塞拜疆 아제르바이잔 азербайджан BA
    bosniaandherzegovina bosnienundherzegowina bosnieherzégovine bosniayhercegovina bosniaerzegovina
    bosniëenherzegovina bósniaherzegovina bośniaihercegowina ボスニアヘルツェゴビナ 波斯尼亚和黑山共和国
    보스니아헤르체고비나 боснияигерцеговина BB barbados barbade バルバドス 巴巴多斯 바베이도스 барбадос BD bangladesh
    bangladesch bangladesz バングラデシュ 孟加拉 방글라데시 бангладеш BE belgium belgien belgique bélgica belgio
    belgië belgia ベルギー 比利时 벨기에 бельгия bel BF burkinafaso burquinafaso ブルキナファソ 布基纳法索
    부르키나파소 буркинафасо BG bulgaria bulgarien bulgarie bulgarije ブルガリア 保加利亚 불가리아 болгария българия
    bgr BH bahrain bahreïn bahrajn バーレーン 巴林 바레인 бахрейн BI burundi ブルンジ 布隆迪 부룬디 бурунди BJ benin
    ベニン 贝宁 베넹 бенин BL saintbarthélemy sanbartolomé sãobartolomeu サンバルテルミー 圣巴泰勒米岛 생바르텔레미 BM
    bermuda bermudes bermudas bermudy バーミューダ諸島 百慕大 버뮤다 бермудскиеострова BN brunei ブルネイ 文莱
    브루나이 бруней BO bolivia bolivien bolivie boliwia ボリビア 玻利维亚 볼리비아 боливия BQ
    bonairesinteustatiusandsaba bonairesinteustatiusundsaba bonairesainteustacheetsaba bonairesaneustaquioysaba
    bonairesinteustatiusesaba ボネールシントユースタティウスおよびサバ 博奈尔岛圣尤斯特歇斯岛和萨巴岛
    보네르신트유스타티우스사바제도 BR brazil brasilien brésil brasil brasile brazilië brazylia ブラジル 巴西 브라질
    бразилия bra BS bahamas bahamy バハマ 巴哈马 바하마 багамскиеострова BT bhutan bhoutan bután butão ブータン 不丹
    부탄 бутан BW botswana botsuana ボツワナ 博茨瓦纳 보츠와나 ботсвана BY belarus biélorussie bielorrusia bielorussia
    witrusland białoruś ベラルーシ 白俄罗斯 벨라루스 беларусь BZ belize belice ベリーズ 伯里兹 벨리즈 белиз CA canada
    kanada カナダ 加拿大 캐나다 канада can CC cocosislands kokosinseln îlescocos islascocos isolecocos cocoseilanden
    ilhascoco ココス諸島 科库斯群岛 코코스군도 CD thedemocraticrepublicofcongo demokratischerepublikkongo
    républiquedémocratiqueducongo repúblicademocráticadelcongo repubblicademocraticadelcongo congokinshasa
    コンゴ民主共和国 刚果民主共和国 콩고민주공화국 CF centralafricanrepublic zentralafrikanischerepublik
    républiquecentreafricaine repúblicacentroafricana repubblicacentrafricana centraalafrikaanserepubliek
    republikaśrodkowoafrykańska 中央アフリカ共和国 中非共和国 중앙아프리카 центральноафриканскаяреспублика CG congo
    kongo congobrazzaville コンゴ 刚果 콩고 конго CH switzerland schweiz suisse suiza svizzera zwitserland suíça
    szwajcaria スイス 瑞士 스위스 швейцария che dieschweiz lasuisse CI côtedivoire elfenbeinküste costademarfil
    costadavorio ivoorkust costadomarfim wybrzeżekościsłoniowej コートジボアール 象牙海岸 코트디부와르 котдивуар CK
    cookislands cookinseln îlescook islascook isolecook cookeilanden ilhascook クック諸島 库克群岛 쿡제도 CL chile
    chili cile チリ 智利 칠레 чили chl CM cameroon kamerun cameroun camerún kameroen repúblicadoscamarões カメルーン
    喀麦隆 카메룬 камерун CN china chine cina chiny 中華人民共和国 中国 중국 китай chn prc peoplesrepublicofchina
    中华人民共和国 CO colombia kolumbien colombie kolumbia コロンビア 哥伦比亚 콜롬비아 колумбия col CR costarica
    kostaryka コスタリカ 哥斯达黎加 코스타리카 костарика CU cuba kuba キューバ 古巴 쿠바 куба CV capeverde kapverde
    capvert caboverde capoverde kaapverdië republikazielonegoprzylądka カーボベルデ 佛得角 까뽀베르데 зеленыймыс CW
    curaçao キュラソー 库拉索岛 퀴라소 CX christmasisland weihnachtsinsel îlechristmas islachristmas isoladinatale
    christmaseiland ilhasnatal クリスマス島 圣诞岛 크리스마스섬 CY cyprus zypern chypre chipre cipro cypr キプロス
    塞浦路斯 사이프러스 кипр CZ czechrepublic tschechischerepublik républiquetchèque chequia repubblicaceca tsjechië
    repúblicatcheca republikaczeska チェコ 捷克共和国 체코 чехия českárepublika cze czechia tschechien tchequie cesko
    republicacheca DE germany deutschland allemagne alemania germania duitsland alemanha niemcy ドイツ 德国 독일
    германия deu brd federalrepublicofgermany bundesrepublikdeutschland DJ djibouti dschibuti yibuti gibuti djibuti
    dżibuti ジブチ 吉布提 지부티 джибути DK denmark dänemark dinamarca danimarca denemarken dania デンマーク 丹麦
    덴마크 дания danmark dnk DM dominica dominique dominika ドミニカ国 多米尼加联邦 도미니카 доминика DO
    dominicanrepublic dominikanischerepublik républiquedominicaine repúblicadominicana repubblicadominicana
    dominicaanserepubliek republikadominikany ドミニカ共和国 多米尼加共和国 도미니카공화국 доминиканскаяреспублика DZ
    algeria algerien algérie argelia algerije アルジェリア 阿尔及利亚 알제리 алжир EC ecuador equateur equador ekwador
    エクアドル 厄瓜多尔 에쿠아도르 эквадор EE estonia estland estonie エストニア 爱沙尼亚 에스토니아 эстония eesti EG
    egypt ägypten egypte egipto egitto egito egipt エジプト 埃及 이집트 египт مصر egy EH westernsahara westsahara
    saharaoccidental saharaoccidentale westelijkesahara saaraocidental saharazachodnia 西サハラ 西撒哈拉 서사하라
    западнаясахара ER eritrea erythrée eritreia erytrea エリトリア 厄里特尼亚 에리트리아 эритрея ES spain spanien
    espagne españa spagna spanje espanha hiszpania スペイン 西班牙 스페인 испания esp ET ethiopia äthiopien ethiopie
    etiopía エチオピア 埃塞俄比亚 이디오피아 эфиопия FI finland finnland finlande finlandia フィンランド 芬兰 핀란드
    финляндия suomi fin FJ fiji fidschi fidji fiyi figi fidżi フィジー 斐济 피지 фиджи FK falklandislands
    falklandinseln îlesmalouines islasmalvinas isolefalkland falklandeilanden ilhasmalvinas フォークランド諸島
    富克兰群岛 포클랜드제도 FM micronesia mikronesien micronésie mikronezja ミクロネシア 密克罗尼西亚 마이크로네시아
    микронезия FO faroeislands färöerinseln îlesféroé islasferoe isolefæroer faeröer ilhasfaroe フェロー諸島 法罗群岛
    페로제도 FR france frankreich francia frankrijk frança francja フランス 法国 프랑스 франция fra GA gabon gabun
    gabão ガボン 加蓬 가봉 габон GB unitedkingdom vereinigteskönigreich royaumeuni reinounido regnounito
    verenigdkoninkrijk wielkabrytania イギリス 英国 영국 соединенноекоролевство uk gbr greatbritain britain england
    scotland wales northernireland grossbritannien angleterre grandebretagne granbretagna granbretana grootbrittannie
    engeland inglaterra anglia unitedkingdomofgreatbritainandnorthernireland великобритания англия GD grenada grenade
    granada グレナダ 格林纳达 그레나다 GE georgia georgien géorgie gruzja グルジア 格鲁吉亚 그루지야 грузия GF
    frenchguiana französischguayana guyanefrançaise guayanafrancesa guayanafrancese fransguyana guianafrancesa
    gujanafrancuska 仏領ギアナ 法属圭亚那 프랑스령기아나 французскаягвинея GG guernsey guernesey ガーンジー 格恩西岛
    건지 GH ghana gana ガーナ 加纳 가나 гана GI gibraltar gibilterra ジブラルタル 直布罗陀 지브롤터 GL greenland
    grönland groenland groenlandia グリーンランド 格陵兰 그린랜드 GM gambia gambie ガンビア 冈比亚 감비아 гамбия GN
    guinea guinée guiné gwinea ギニア 几内亚 기니 гвинея GP guadeloupe guadalupe guadalupa gwadelupa グアドループ
    瓜德罗普岛 과달로프 гваделупа GQ equatorialguinea äquatorialguinea guinéeequatoriale guineaecuatorial
    guineaequatoriale equatoriaalguinea guinéequatorial gwinearównikowa 赤道ギニア 赤道几内亚 적도기니
    экваториальнаягвинея GR greece griechenland grèce grecia griekenland grecja ギリシア 希腊 그리스 греция ελλάδα grc
    el hellas GT guatemala gwatemala グアテマラ 危地马拉 과테말라 гватемала GU guam グアム 关岛 괌 GW guineabissau
    guinéebissau guinébissau gwineabissau ギニアビサウ 几内亚比绍共和国 기네비쏘 гвинеябисау GY guyana guiana gujana
    ガイアナ 圭亚那 가이아나 гайана HK hongkong hongkongsarvanchina hongkongregiãoadminespecialdachina 香港 홍콩
    гонконг hkg HN honduras ホンジュラス 洪都拉斯 온두라스 гондурас HR croatia kroatien croatie croacia croazia
    kroatië chorwacja クロアチア 克罗地亚 크로아티아 хорватия hrvatska hrv HT haiti ハイチ 海地 하이티 гаити HU
    hungary ungarn hongrie hungría ungheria hongarije węgry ハンガリー 匈牙利 헝가리 венгрия magyarország hun ID
    indonesia indonesien indonésie indonezja インドネシア 印度尼西亚 인도네시아 индонезия idn IE ireland irland
    irlande irlanda ierland irlandia アイルランド 爱尔兰 아일랜드 ирландия éire irl republicofireland IL israel
    israele izrael イスラエル 以色列 이스라엘 израиль ישראל isr IM isleofman iledeman islademan isoladiman ilhademan
    マン島 曼岛 맨섬 IN india indien inde indie インド 印度 인도 индия ind IO britishindianoceanterritory
    britischeterritorienimindischenozean territoiresbritanniquesdelocéanindien territoriobritánicodelocéanoíndico
    territoriobritannicodelloceanoindiano britsegebiedenindeindischeoceaan territóriobritânicodooceanoíndico
    英領インド洋地域 英属印度洋领地 영인도제도 IQ iraq irak iraque イラク 伊拉克 이라크 ирак IR iran irã イラン 伊朗
    이란 иран IS iceland island islande islandia islanda ijsland アイスランド 冰岛 아이슬란드 исландия IT italy
    italien italie italia włochy イタリア 意大利 이탈리아 италия ita JE jersey ジャージー 泽西岛 저지 JM jamaica
    jamaika jamaïque giamaica jamajka ジャマイカ 牙买加 자메이카 ямайка JO jordan jordanien jordanie jordania
    giordania ヨルダン 约旦 요르단 иордания JP japan japon giappone japão japonia 日本 일본 япония jpn 日本国 KE kenya
    kenia quênia ケニア 肯尼亚 케냐 кения ken KG kyrgyzstan kirgistan kirguizistán kirghizistan kirgizië quirguistão
    キルギスタン 吉尔吉克斯坦 키르기스스탄 киргизстан KH cambodia kambodscha cambodge camboya cambogia cambodja
    camboja kambodża カンボジア 柬埔寨 캄보디아 камбоджа KI kiribati quiribati キリバス 基里巴斯 키리바시 кирибати KM
    comoros komoren comores comore comoren komory コモロ 科摩罗 코모르 коморос KN saintkittsandnevis
    saintkittsundnevis saintchristopheetniévès sancristóbalynieves saintkittsenevis saintkittsennevis
    sãocristovãoenevis セントクリストファーネイビス 圣基茨和尼维斯 세인트크리스토퍼니비스 KP northkorea nordkorea
    coréedunord coreadelnorte coreadelnord noordkorea coreiadonorte koreapółnocna 朝鮮民主主義人民共和国 朝鲜 북한
    севернаякорея KR southkorea südkorea coréedusud coreadelsur coreadelsud zuidkorea coreiadosul koreapołudniowa
    大韓民国 韩国 대한민국 южнаякорея kor korea republicofkorea 한국 KW kuwait koweit koeweit kuwejt クウェート 科威特
    쿠웨이트 кувейт KY caymanislands kaimaninseln îlescaïmans islascaimán isolecayman caymaneilanden ilhascaiman
    ケイマン諸島 开曼群岛 케이맨제도 KZ kazakhstan kasachstan kazajstán kazachstan casaquistão カザフスタン 哈萨克斯坦
    카자흐스탄 казахстан LA laos repúblicapopulardemocráticadolaos ラオス 老挝 라오스 лаос LB lebanon libanon liban
    líbano レバノン 黎巴嫩 레바논 ливан LC saintlucia stlucia saintelucie santalucia saintelucia セントルシア 圣卢西亚
    세인트루시아 LI liechtenstein リヒテンシュタイン 列支敦士登 리히텐슈타인 лихтенштейн LK srilanka スリランカ
    斯里兰卡 스리랑카 шриланка LR liberia リベリア 利比里亚 라이베리아 либерия LS lesotho lesoto レソト 莱索托 레소토
    лесото LT lithuania litauen lithuanie lituania litouwen litwa リトアニア 立陶宛 리투아니아 литва lietuva LU
    luxembourg luxemburg luxemburgo lussemburgo luksemburg ルクセンブルク 卢森堡 룩셈부르크 люксембург lux LV latvia
    lettland lettonie letonia lettonia letland łotwa ラトビア 拉脱维亚 라트비아 латвия latvija LY libya libyen libye
    libia libië リビア 利比亚 리비아 ливия MA morocco marokko maroc marruecos marocco marrocos maroko モロッコ 摩洛哥
    모로코 марокко mar MC monaco monako モナコ 摩纳哥 모나코 монако MD moldova moldau moldavie moldavia mołdawia
    モルドバ 摩尔多瓦 몰도바 молдова ME montenegro モンテネグロ 黑山 몬테네그로 MF saintmartin stmartin sanmartín
    sãomartinho サンマルタン 圣马丁 생마르탱 MG madagascar madagaskar マダガスカル 马达加斯加 마다가스카르 мадагаскар
    MH marshallislands marshallinseln îlesmarshall islasmarshall isolemarshall marshalleilanden ilhasmarshall
    マーシャル諸島 马绍尔群岛 마셜제도 MK macedonia mazedonien macédoine macedonië マケドニア 马其顿王国 마케도니아어
    македония ML mali マリ 马里 말리 мали MM burma myanmar mianmarbirmânia ミャンマー 缅甸 미얀마 мьянма MN mongolia
    mongolei mongolie モンゴル 蒙古 몽골 монголия MO macao macaosarvanchina macauregiãoadminespecialdachina マカオ
    澳门特区 마카오 MP northernmarianaislands nördlichemarianneninseln îlesmariannesdunord islasmarianasdelnorte
    isolemariannesettentrionali noordelijkemarianeneilanden ilhasmarianasdonorte 北マリアナ諸島 美属北马里亚纳群岛
    북마리아나제도 MQ martinique martinica martynika マルティニーク島 马提尼克岛 말티니크 мартиника MR mauritania
    mauretanien mauritanie mauretania モーリタニア 毛里塔尼亚 모리타니 мавритания MS montserrat モントセラト島
    蒙特塞拉群岛 몬트세라트 монтсерат MT malta malte マルタ 马耳他 몰타 мальта MU mauritius maurice mauricio maurizio
    モーリシャス 毛里求斯 모리셔스 маврикий MV maldives maldiven maldivas maldive モルディブ 马尔代夫 몰디브 MW malawi
    malaui マラウイ 马拉维 말라위 MX mexico mexiko mexique messico meksyk メキシコ 墨西哥 멕시코 мексика mex MY
    malaysia malaisie malasia maleisië malezja マレーシア 马来西亚 말레이지아 малайзия mys MZ mozambique mosambik
    mozambico moçambique mozambik モザンビーク 莫桑比克 모잠비크 мозамбик NA namibia namibie ナミビア 纳米比亚
    나미비아 намибия NC newcaledonia neukaledonien nouvellecalédonie nuevacaledonia nuovacaledonia nieuwcaledonië
    novacaledônia nowakaledonia ニューカレドニア 新克里多尼亚群岛 뉴칼레도니아 новаякаледония NE niger ニジェール
    尼日尔 니제르 нигер NF norfolkisland norfolkinsel îlenorfolk islanorfolk isolanorfolk norfolkeiland ilhanorfolk
    ノーフォーク島 诺福克岛 노퍽섬 NG nigeria ナイジェリア 尼日利亚 나이지리아 нигерия nga NI nicaragua nikaragua
    ニカラグア 尼加拉瓜 니카라과 никарагуа NL netherlands niederlande paysbas holanda paesibassi nederland holandia
    オランダ 荷兰 네덜란드 нидерланды nld holland thenetherlands lospaisesbajos paisesbajos olanda hollande thepaysbas
    NO norway norwegen norvège noruega norvegia noorwegen norwegia ノルウェー 挪威 노르웨이 норвегия norge nor noreg
    NP nepal ネパール 尼泊尔 네팔 непал NR nauru ナウル 瑙鲁 나우루 NU niue ニウエ島 纽埃岛 니우에 нию NZ newzealand
    neuseeland nouvellezélande nuevazelanda nuovazelanda nieuwzeeland novazelândia nowazelandia ニュージーランド
    新西兰 뉴질랜드 новаязеландия nzl OM oman omã オマーン 阿曼 오만 оман PA panama パナマ 巴拿马 파나마 панама PE
    peru pérou ペルー 秘鲁 페루 перу PF frenchpolynesia französischpolynesien polynésiefrançaise polinesiafrancesa
    polinesiafrancese franspolynesië polinezjafrancuska 仏領ポリネシア 法属玻利尼西亚 프랑스령폴리네시아
    французскаяполинезия PG papuanewguinea papuaneuguinea papouasienouvelleguinée papuanuovaguinea papoeanieuwguinea
    papuanovaguiné papuanowagwinea パプアニューギニア 巴布亚新几内亚 파푸아뉴기니 папуановаягвинея PH philippines
    philippinen filipinas filippine filipijnen filipiny フィリピン 菲律宾 필리핀 филиппины phl PK pakistan paquistán
    paquistão パキスタン 巴基斯坦 파키스탄 пакистан pak PL poland polen pologne polonia polska ポーランド 波兰 폴란드
    польша pol PM saintpierreandmiquelon stpierreundmiquelon saintpierreetmiquelon sanpedroymiquelón
    saintpierreemiquelon saintpierreenmiquelon サンピエール島ミクロン島 圣皮埃尔和密克隆群岛 세인트피에르미켈론 PR
    puertorico portorico portoryko プエルトリコ 波多黎哥 푸에르토리코 пуэрторико PS palestine palästina palestina
    palestijnsgebied territóriospalestinos パレスチナ 巴勒斯坦 팔레스타인 PT portugal portogallo portugalia ポルトガル
    葡萄牙 포르투칼 португалия prt PW palau belau palaos パラオ 帕劳 팔라우 PY paraguay paraguai paragwaj パラグアイ
    巴拉圭 파라과이 парагвай QA qatar katar catar カタール 卡塔尔 카타르 катар RE reunion laréunion reunião レユニオン
    留尼汪岛 리유니언 RO romania rumänien roumanie rumania roemenië romênia rumunia ルーマニア 罗马尼亚 루마니아
    румыния rou RS serbia serbien serbie servië sérvia セルビア 塞尔维亚 세르비아 RU russia russland russie rusia
    rusland rosja ロシア 俄罗斯 러시아 россия rus russianfederation RW rwanda ruanda ルワンダ 卢旺达 르완다 руанда SA
    saudiarabia saudiarabien arabiesaoudite arabiasaudita saoediarabië arabiasaudyjska サウジアラビア 沙特阿拉伯
    사우디아라비아 саудовскаяаравия السعودية sau ksa SB solomonislands solomoninseln îlessalomon islassalomón
    isolesolomon salomonseilanden ilhassalomão ソロモン諸島 所罗门群岛 솔로몬제도 SC seychelles seychellen seszele
    セイシェル 塞舌尔群岛 쉐이쉘 сейшельскиеострова SD sudan soudan soedan sudão スーダン 苏丹 수단 судан SE sweden
    schweden suède suecia svezia zweden szwecja スウェーデン 瑞典 스웨덴 швеция sverige swe SG singapore singapur
    singapour cingapura シンガポール 新加坡 싱가포르 сингапур sgp SH sainthelena sthelena saintehélène santahelena
    santelena sinthelena セントヘレナ島 圣赫勒拿岛 세인트헬레나 SI slovenia slowenien slovénie eslovenia słowenia
    スロベニア 斯洛文尼亚 슬로베니아 словения slovenija svn SJ svalbardandjanmayen svalbardundjanmayen
    svalbardetjanmayen svalbardyjanmayen svalbardejanmayen svalbardenjanmayen スバールバル諸島ヤンマイエン島
    斯瓦尔巴特和扬马延岛 스발바르및얀마웬 SK slovakia slowakei slovaquie eslovaquia slovacchia slowakije słowacja
    スロバキア 斯洛伐克 슬로바키아 словакия slovenskárepublika svk SL sierraleone sierraleona serraleoa シエラレオネ
    塞拉里昂 시에라리온 сьерралеоне SM sanmarino saintmarin サンマリノ 圣马力诺 산마리노 SN senegal セネガル 塞内加尔
    세네갈 сенегал SO somalia somalie ソマリア 索马里 소말리아 сомали SR suriname surinam スリナム 苏里南 수리남
    суринам SS southsudan südsudan sudsoudan sudándelsur sudandelsud 南スーダン 南苏丹 남수단 ST saotomeandprincipe
    saotomeundprincipe saotoméetprincipe santotoméypríncipe sãotoméeprincipe saotoméenprincipe サントメプリンシペ
    圣多美和普林西比 상투메프린시페 SV elsalvador salwador エルサルバドル 萨尔瓦多 엘살바도르 сальвадор SX
    sintmaartendutchpart sintmaartenniederländischerteil saintmartinpartienéerlandaise sanmartínregiónholandesa
    sintmaartenparteolandese シントマールテンオランダ領 荷属圣马丁岛 신트마르텐네덜란드령 SY syria syrien syrie siria
    シリア 叙利亚 시리아 сирия SZ swaziland swasiland suazilandia suazi スワジランド 斯威士兰 스와질랜드 свазиленд TC
    turksandcaicosislands turksundcaicosinseln îlesturksetcaicos islasturcasycaicos isoleturksecaicos
    turksencaicoseilanden ilhasturksecaicos タークス諸島カイコス諸島 特克斯群岛和凯科斯群岛 터크스케이커스제도 TD chad
    tschad tchad ciad tsjaad chade czad チャド 乍得 차드 чад TG togo トーゴ 多哥 토고 того TH thailand thaïlande
    tailandia thailandia tajlandia タイ 泰国 태국 таиланд ประเทศไทย tha TJ tajikistan tadschikistan tadjikistan
    tayikistán tagikistan tadzjikistan tadjiquistão tadżykistan タジキスタン 塔吉克斯坦 타지키스탄 таджикистан TK
    tokelau トケラウ諸島 联合群岛 토켈라우 токелау TL timorleste timororiental oosttimor 東ティモール 东帝汶 동티모르
    TM turkmenistan turcomenistão トルクメニスタン 土库曼斯坦 투르크메니스탄 туркменистан TN tunisia tunesien tunisie
    túnez tunesië tunezja チュニジア 突尼斯 튀니지 тунис TO tonga トンガ 汤加 통가 тонга TR turkey türkei turquie
    turquía turchia turkije turcja トルコ 土耳其 터키 турция türkiye tur TT trinidadandtobago trinidadundtobago
    trinitéettobago trinidadytobago trinidadetobago trinidadentobago trynidaditobago トリニダードトバゴ
    特立尼达和多巴哥 트리니다드토바고 тринидадитобаго TV tuvalu ツバル 图瓦卢 투발루 TW taiwan tajwan 台湾 台湾地区
    대만 тайвань twn 台灣 TZ tanzania tansania tanzanie タンザニア 坦桑尼亚 탄자니아 танзания UA ukraine ucrania
    ucraina oekraïne ukraina ウクライナ 乌克兰 우크라이나 украина україна ukr UG uganda ouganda oeganda ウガンダ
    乌干达 우간다 уганда US unitedstates vereinigtestaatenvonamerika etatsunis estadosunidos statiuniti
    verenigdestaten stanyzjednoczoneameryki アメリカ合衆国 美国 미국 соединенныештаты usa unitedstatesofamerica
    america eeuu eua vereinigtestaaten estadosunidosdeamerica verenigdestatenvanamerika アメリカ 米国 сша UY uruguay
    uruguai urugwaj ウルグアイ 乌拉圭 우루과이 уругвай UZ uzbekistan usbekistan ouzbékistan oezbekistan uzbequistão
    ウズベキスタン 乌兹别克斯坦 우즈베키스탄 узбекистан VA vatican vatikanstadt ciudaddelvaticano cittàdelvaticano
    vaticaanstad vaticano watykan バチカン 梵蒂冈 바티칸 ватикан VC saintvincentandthegrenadines
    stvincentunddiegrenadinen saintvincentetlesgrenadines sanvicenteylasgranadinas saintvincentegrenadine
    saintvincentendegrenadines sãovicenteegranadinas セントビンセントおよびグレナディーン諸島 圣文森特和格林纳丁斯
    세인트빈센트그레나딘스 VE venezuela wenezuela ベネズエラ 委内瑞拉 베네수엘라 венесуэла VG britishvirginislands
    britischejungferninseln ilesviergesbritanniques islasvírgenesbritánicas isoleverginigb britsemaagdeneilanden
    ilhasvirgensbritânicas dziewiczewyspybrytyjskie 英領バージン諸島 英属维京群岛 영국령버진아일랜드
    британскиевиргинскиеострова VI usvirginislands amerikanischejungferninseln ilesviergesaméricaines
    islasvírgenesamericanas isoleverginiusa amerikaansemaagdeneilanden ilhasvirgensdoseua
    dziewiczewyspystanówzjednoczonych 米領バージン諸島 美属维京群岛 미국령버진아일랜드
    виргинскиеостровасоединенныхштатов VN vietnam vietnã wietnam ベトナム 越南 베트남 вьетнам vnm VU vanuatu バヌアツ
    瓦努阿图 바누아투 вануату WF wallisandfutuna wallisundfutuna wallisetfutuna wallisyfutuna wallisefutuna
    wallisenfutuna ワリスフテュナ諸島 瓦利斯群岛和富图纳群岛 윌리스푸투나 WS samoa 西サモア zh 사모아 YE yemen jemen
    iêmen イエメン 也门 예멘 йемен YT mayotte mayotta マヨット島 马约特岛 마요티 майотте ZA southafrica südafrika
    afriquedusud sudáfrica zuidafrika áfricadosul republikapołudniowejafryki 南アフリカ 南非 남아프리카 южнаяафрика
    zaf ZM zambia sambia zambie ザンビア 赞比亚 잠비아 замбия ZW zimbabwe simbabwe zimbabue ジンバブエ 津巴布韦
    짐바브웨 зимбабве
"""
"""Each region's code, followed by its names without blanks."""


def _by_name(text: str) -> dict[str, str]:
    found, region = dict(_BEYOND_ISO), ""
    for word in text.split():
        if len(word) == 2 and word.isupper():
            region = word
        found.setdefault(folded(word), region)
    return found


_REGIONS: Final = _by_name(_NAMES)


_DIALLING_CODE: Final = re.compile(r"(?:\+|00)\s*([1-9]\d{0,2})")
_FIRST_FLAG_LETTER: Final = 0x1F1E6
_FLAG: Final = re.compile("[\U0001f1e6-\U0001f1ff]{2}")


@lru_cache(maxsize=2048)
def region_of(text: str) -> str | None:
    """The region that is named: `DE`, `deu`, `Germany`, `Allemagne`, `Deutschland (DE)`, `+49`, a flag; None when none
    is.
    """
    if len(text) > _LONGEST:
        return None
    if (dialled := _DIALLING_CODE.fullmatch(text.strip())) is not None:
        return _of_code(int(dialled[1]))
    text = _FLAG.sub(_flagged, text) if _FLAG.search(text) else text
    if (whole := _named(text)) is not None:
        return whole
    parts = {region for part in re.split(r"[()\[\]/,;|]| - ", text) if (region := _named(part)) is not None}
    return parts.pop() if len(parts) == 1 else None


def _of_code(code: int) -> str | None:
    """Of several countries with one code the main one: numbers are read alike in all of them."""
    region = phonenumbers.region_code_for_country_code(code)
    return region if region.isalpha() and region != "ZZ" else None


def _flagged(flag: re.Match[str]) -> str:
    return f", {''.join(chr(ord(letter) - _FIRST_FLAG_LETTER + ord('A')) for letter in flag[0])}, "


def _named(part: str) -> str | None:
    return _REGIONS.get("".join(_NOT_A_LETTER.split(folded(part))))
