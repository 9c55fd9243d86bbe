//! Turns of phrase that show what a sentence does: decides, demands, explains, hedges, chatters.
//!
//! Patterns read the folded form of a sentence ([`fold`](super::sentence::fold)): lower case, ASCII.

use regex::Regex;
use std::sync::LazyLock;

macro_rules! cues {
    ($($(#[$doc:meta])* $name:ident = $pattern:literal;)*) => {
        /// What a sentence can show.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(super) enum Cue { $($(#[$doc])* $name,)* }

        static PATTERNS: LazyLock<Vec<Regex>> = LazyLock::new(|| vec![$(pattern($pattern),)*]);
    };
}

#[expect(
    clippy::expect_used,
    reason = "the patterns are constants, and every test compiles them"
)]
fn pattern(text: &str) -> Regex {
    Regex::new(&format!("(?-ux){text}")).expect("a constant pattern")
}

/// The cues of one sentence.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Cues(u64);

impl Cues {
    /// Reads a folded sentence.
    pub(super) fn of(folded: &str) -> Self {
        let bits = PATTERNS
            .iter()
            .enumerate()
            .filter(|(_, regex)| regex.is_match(folded));
        Self(bits.fold(0, |all, (bit, _)| all | 1 << bit))
    }

    pub(super) const fn has(self, cue: Cue) -> bool {
        self.0 & (1 << cue as u64) != 0
    }

    pub(super) fn has_any(self, cues: &[Cue]) -> bool {
        cues.iter().any(|cue| self.has(*cue))
    }
}

cues! {
    /// A choice that was made, in so many words.
    Decided = r"\b(?:(?:we|i|they|team)(?:'ve| have| had)? (?:also )?(?:decided|agreed|settled|chose|chosen|picked|opted|went with|gone with|standardi[sz]ed|committed)|(?:was|been|is|were) (?:decided|chosen|settled|agreed)|decision:|decisions?(?: is| was|:)|(?:i|we) (?:am|are|'re|'m) going (?:with|to use)|we're going (?:with|to use)|i'm going with|(?:deliberately|intentionally|on purpose)\b|by design|(?:chose|picked|opted for|settled on|went with) [`a-z0-9_]|the (?:choice|design|approach) (?:is|was|here is)|trade-?off)";
    /// A choice that is being made.
    Choosing = r"\b(?:let's (?:just )?(?:use|go with|switch|keep|stick|drop|avoid|adopt|move (?:to|away|off)|replace|standardi[sz]e|store|put|never|always|not|make (?:it|this|that) (?:the )?(?:default|rule))|(?:we|we'll|i'll) (?:will |are going to |should )?(?:use|go with|keep|stick (?:to|with)|adopt|standardi[sz]e on|move to|switch to|drop)\b|^(?:ok(?:ay)?,? |yes,? |yep,? |sure,? |right,? |agreed,? |good,? )?(?:then )?(?:go with|stick (?:to|with)|keep|switch (?:to|over)|move (?:to|over))|we're (?:switching|moving|dropping|keeping|replacing))\b";
    /// One thing in the place of another.
    Replaced = r"\b(?:instead of|rather than|in place of|over using|no longer use|switch(?:ed)? (?:from|to|over)|migrat(?:e|ed) (?:from|to)|replace[ds]? [ -~]{1,60} (?:with|by)|in favou?r of|prefer(?:red)? [ -~]{1,40} over|(?:use|using) [`a-z0-9._/-]+,? (?:and )?not )";
    /// A reason.
    Rationale = r"\b(?:because|since (?:it|we|the|they|this|that|a|an|our|there|`)|so that|so (?:it|we|the|they|a|an|nobody|no|every|one|readers?|callers?|users?) [a-z]|in order to|to avoid|to prevent|to keep|to make sure|otherwise|which (?:means|lets|allows|avoids|keeps|makes)|that way|this way|this (?:lets|means|allows|avoids|keeps|makes)|the reason|due to|given that|as (?:it|they|we|this) (?:would|is|are|does|can)|would (?:break|fail|leak|block|slow)|trade-?off|why)\b";
    /// A standing rule.
    Rule = r"\b(?:always|never|every time|from now on|going forward|in (?:the )?future|at all times|without exception|under no circumstances|must(?:n't| not| be| have| never| always)?|(?:should|shall) (?:always|never|not|only)|(?:is|are) (?:forbidden|banned|mandatory|required|not allowed|disallowed|prohibited)|(?:no|only) [a-z`_ -]{2,40} (?:may|is allowed|are allowed|in (?:the )?[a-z`_-]+)|as a rule|by convention|convention|make sure (?:to |you |that )?(?:always|every|all|never|each)|(?:each|every|all) [a-z`_ -]{2,40} (?:must|should|needs?|has to|have to|gets?|carr(?:y|ies)|opens?|goes?|lives?))\b";
    /// The way things are done by this team or in this repository.
    House = r"\b(?:we (?:always |never |only |don't |do not |generally |usually )?(?:use|keep|follow|write|put|name|prefix|run|test|format|avoid|prefer|store|ship|deploy|pin|treat|target|support|name|require|sign|squash|rebase)|our (?:convention|style|policy|rule|standard|practice|guideline|naming|code ?base|repo|team|ci|api|tests|branch|commits?)|(?:in|for|across) this (?:repo|repository|project|code ?base|workspace|team)|this (?:repo|repository|project|code ?base|workspace) (?:uses?|follows?|requires?|expects?|has|keeps?|targets?|pins?|is)|the (?:convention|house rule|rule|policy|standard|style guide|naming scheme)(?: here)? (?:is|says|for)|conventions?:|house rules?)\b";
    /// What a person wants.
    Wants = r"(?:\bi(?:'d)? (?:really |would |strongly |always |still |also )?(?:prefer|want you|like (?:it|my|the|to|when)|love|hate|dislike|don't (?:like|want)|do not (?:like|want)|rather|expect you|need you to always)\b|\b(?:my preference|for me|please (?:always|never|don't|do not|stop|keep|use|prefer|ask|answer|write)|ask me|tell me (?:before|first|when)|don't ask|stop (?:using|adding|doing|asking|writing|creating|putting)|keep (?:it|your|the) [a-z ]{0,20}(?:short|brief|concise|terse|simple|small)|answer in|reply in|respond in)\b)";
    /// A correction of what the agent did or is about to do.
    Corrects = r"^(?:no+|nope|nah|wrong|wait|stop|hold on|not quite|actually|hmm|hey|please|and|also|but|again|sorry)?[,.!:; -]*(?:no,? )?(?:i said|i told you|we (?:don't|do not|never) (?:use|do|want|need)|don't|do not|never|stop|avoid|you (?:should|must|need to|have to|forgot|can't|cannot|shouldn't|were supposed)|it should(?:n't)? (?:be|use|not)|that should(?:n't)? (?:be|use|not)|use [ -~]{1,60}(?:instead|rather|,? not )|not [`a-z0-9._/-]+[,;:]? (?:use|but)|it's [ -~]{1,40},? not |that's (?:wrong|not right|not how|not what))";
    /// A cause that was found.
    Cause = r"\b(?:root ?cause|(?:real|actual|underlying) (?:problem|issue|cause|bug|reason|culprit)|(?:problem|issue|bug|culprit|cause|reason|error|failure|crash|hang|flake|deadlock|race|regression|leak|mistake|catch|trick|trap)(?: here| there)? (?:is|was|were|turned out|lies|came|comes|happens|happened)\b|turn(?:s|ed) out|it turns|caused by|is due to|was due to|because of|(?:fails?|failed|breaks?|broke|crash(?:es|ed)?|hangs?|hung|panics?|panicked|errors?|blocked|times? out|flak(?:y|es)|leaks?|deadlocks?)\b[ -~]{0,60}\b(?:because|since|due to|when|whenever|if|unless|as soon as)\b|(?:this|that|which|it) (?:is|was|happens|happened|fails|failed|broke) because|what (?:actually )?happen(?:s|ed) (?:is|was)|why (?:it|this|that|the [a-z]+) (?:failed|fails|broke|breaks|hung|hangs))";
    /// A remedy.
    Remedy = r"\b(?:fix(?:ed)?(?: (?:is|was|it|this|that|by))|the (?:fix|remedy|workaround|solution|answer) (?:is|was)|(?:solved|resolved|fixed|avoided|cured|worked around) (?:by|it by|this by|with)|work-?around|to fix (?:it|this|that)|(?:adding|setting|switching|using|removing|passing|pinning|enabling|disabling|raising|wrapping|moving|opening|calling|running|changing) [ -~]{2,80} (?:fix(?:es|ed)|solve[sd]|resolve[sd]|helped|worked|avoids|cures?|makes it pass)|now (?:passes|pass|works|uses|opens|takes|waits|retries|calls|returns))\b";
    /// A warning.
    Warning = r"\b(?:gotcha|caveat|beware|careful|watch out|pitfall|note that|keep in mind|important(?:ly)?:|warning:|be aware|heads[- ]up|one (?:thing|subtlety|trap|quirk)|mind that|remember (?:that|to)|silently|surprisingly|unexpectedly|contrary to|despite|does(?:n't| not) (?:support|work|respect|honou?r|include|run|apply|handle|propagate)|only (?:works|applies|runs|supports) (?:if|when|with|on|for|in|inside|after)|(?:must|needs? to|has to|have to) (?:be )?[a-z]+ (?:before|after|first|inside|within|together)|won't (?:work|compile|run|start|build) (?:unless|without|if|until|on)|breaks (?:if|when|on)|fails (?:if|when|on|unless|with))\b";
    /// Where something is.
    Place = r"\b(?:(?:is|are|was|were) (?:defined|declared|located|found|stored|kept|documented|configured|implemented|written|logged|saved|hosted|served|mounted|published|set|read|handled|generated) (?:in|at|on|by|from|under|inside|to|via)|(?:lives?|sits?|resides?|belongs?|goes?|stays?) (?:in|at|on|under|inside|next to)|(?:is|are) (?:in|at|under|on|inside) [`~./a-z0-9]|can be found|(?:listens?|listening|runs?|running|served|binds?|exposed) (?:on|at)|port (?:is|[0-9]+)|(?:url|endpoint|address|path|dashboard|docs?|documentation|runbook|spec|wiki|channel|repo|staging|production|prod|ci|log file|logs|config(?:uration)?) (?:is|are|lives?|live)\b|(?:reads?|loads?|comes?|taken|picked up|configured) (?:it |them |its [a-z]+ )?(?:from|via|through) [`~./a-z0-9]|set (?:by|via|with|through|in) [`~./a-z0-9]|environment variables?|env vars?|entry ?point|see [`~./a-z0-9]+[./][a-z0-9])";
    /// How something is done.
    HowTo = r"(?:^to [a-z]+[ -~]{2,80}(?:,|:) ?(?:you (?:need to |have to |must |can )?|we |just |first |simply )?(?:run|use|call|execute|set|start|type|do|copy|create|add|edit|open|invoke)\b|^(?:run|use|execute) `[ -~]{3,80}` (?:to|before|after|when|for|instead)|\b(?:can be|is|are|gets?) (?:run|started|built|deployed|regenerated|updated|released|generated|reviewed|reset) (?:with|by|via|using|through) `|\b(?:steps? to|how to|procedure|runbook|in order to [a-z]+[ -~]{2,60} (?:run|use))\b)";
    /// A statement that its speaker is not sure of.
    Hedge = r"\b(?:maybe|perhaps|might|probably|possibly|likely|i (?:think|guess|suspect|believe|assume|wonder|suppose|'m not sure|am not sure|doubt)|i'm not sure|not sure|could be|may be|may have|could have|seems?|appears? to|looks like|looks to be|presumably|my (?:guess|hunch|theory|hypothesis)|hypothesis|apparently|if i remember|sounds like|one possibility|another possibility|potentially|suspect(?:ed)?|unclear|in theory|should probably|worth checking)\b";
    /// Talk about what comes next, or about the work itself.
    Chatter = r"^(?:(?:ok(?:ay)?|great|good|perfect|excellent|nice|sure|right|alright|done|yes|got it|understood|thanks?|thank you|hmm|wow|interesting|well|so|now|and|hi|hello|hey)[,.! -]*)*(?:let me|let's (?:see|check|look|start|run|try|verify|first|continue|begin|move on|take)|i'?ll\b|i will\b|i'?m (?:going to|now|about to|starting|looking|checking|running|reading|working)|i am (?:going|now)|i(?:'ve| have) (?:read|looked|checked|reviewed|started|begun|now)|i (?:need|want|have) to|i can see|i see\b|i found the|now (?:i|let|we|to|for|that|the next)|next[,:]|first[,:]? (?:i|let|we)|looking at|checking|reading|running|searching|exploring|starting|continuing|moving on|time to|before (?:i|we) |we need to|we can now|here(?:'s| is| are)|the (?:next step|following)|as you can see|as (?:requested|expected)|would you|do you want|want me|shall i|should i|let me know|feel free|happy to|i hope|you can now|this is ready|everything|all (?:tests|done|good|set|checks|green)|that (?:works|worked|did it)|it (?:works|worked|passes|compiles)|tests? pass|the tests? (?:now )?pass|no changes|waiting|still (?:running|working))\b";
    /// Talk bound to the moment.
    Momentary = r"\b(?:for now|for the moment|yet|this time|right now|at the moment|temporar(?:y|ily)|just this once|today|tomorrow|in this (?:pr|commit|session|task|change|branch)|later|as a first step|in a (?:moment|minute|second)|wait (?:until|for)|before (?:you|i) (?:continue|go on|start)|until i)\b";
    /// A word that takes something back.
    Retracts = r"\b(?:i was wrong|my mistake|scratch that|never ?mind|wasn't (?:it|the|that|actually|in|because)|was not (?:it|the|actually|because)|that's not (?:it|the|right|why)|that is not (?:it|the|why)|isn't the (?:problem|cause|issue|culprit|reason)|is not the (?:problem|cause|issue|culprit|reason)|not the (?:problem|cause|issue|culprit|reason|root)|red herring|disproved|ruled out|rules (?:that|this|it) out|turns out (?:it|that|the)[ -~]{0,40}\b(?:isn't|wasn't|not|doesn't|didn't)|contrary to (?:what|my)|incorrect(?:ly)?|i misread|misdiagnos|false lead|(?:didn't|did not|doesn't|does not) (?:help|fix|work|change anything|make a difference)|still (?:fails?|failing|broken|breaks|crash(?:es)?|hangs?|happens|happening|not working|the same|reproduces|see(?:ing)?|gett?ing|get)|no longer (?:true|holds|think)|instead,? the (?:real|actual)|revert(?:ed|ing)?|undo|back(?:ed)? out|actually,? (?:no|the|it|that)|on second thought)\b";
    /// Something was done.
    Done = r"\b(?:added|fixed|implemented|updated|removed|replaced|moved|renamed|refactored|created|introduced|changed|switched|wrote|wired|extracted|split|merged|deleted|migrated|rewrote|converted|enabled|disabled|upgraded|documented|bumped|hardened|simplified|handled|cleaned|set up|configured|deployed|released|published|verified|measured|reduced|increased|made)\b";
    /// It did not work out.
    Undone = r"\b(?:could(?:n't| not)|unable to|failed to|not (?:able|possible|finished|done|implemented)|remains?|still (?:open|missing|to do|fails?)|left (?:open|out|undone)|todo|blocked|gave up|incomplete|unfinished|not yet)\b";
    /// Its subject stands in the sentence before.
    Deictic = r"^(?:(?:and|so|but|then|also|because of|since|with|after|for) )*(?:this|that|it|its|it's|that's|these|those|they|he|she|there|which|both|the (?:former|latter|same)|here)\b";
    /// It goes on from the sentence before.
    Continues = r"^(?:because|so\b|so that|otherwise|that way|this way|this (?:means|lets|allows|avoids|keeps|makes|ensures)|that (?:means|lets|allows|avoids|keeps|makes)|the reason|the (?:fix|solution|workaround|remedy)\b|fixed|instead|therefore|hence|thus|as a result|it (?:also )?(?:means|avoids|keeps|lets|makes)|without|which)";
    /// A question, or an offer.
    Asks = r"(?:\?\s*$|^(?:what|why|how|where|when|who|which|can|could|would|should|shall|do|does|did|is|are|was|were|has|have|will|may) (?:i|we|you|it|this|that|the|there|they|a|an|our|my|your)\b[ -~]*\?)";
    /// A condition that nobody says is met.
    Conditional = r"^(?:if|when|unless|suppose|assuming|once|in case) ";
    /// The user agrees.
    Accepts = r"^(?:yes|yep|yeah|yup|sure|ok(?:ay)?|agreed?|sounds good|go ahead|do it|do that|perfect|great|good|let's do (?:it|that)|lgtm|approved|please do|go for it|that works|makes sense|exactly|correct|right|option [a-d0-9]|the (?:first|second|third) (?:one|option)|fine)\b";
    /// The agent advises.
    Recommends = r"\b(?:i(?:'d| would)? (?:strongly )?(?:recommend|suggest|propose|advise|go with|lean)|my recommendation|recommendation:|recommended|i propose|the best (?:option|approach|choice)|option [a-d0-9] is (?:better|best|the))\b";
}
