//! Turns of phrase that show what a sentence does: decides, demands, explains, hedges, chatters.
//!
//! Patterns read the folded form of a sentence ([`fold`](super::sentence::fold)): lower case, ASCII.

use regex::Regex;
use std::borrow::Cow;
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
        // `date.today()` in code says nothing about when.
        let prose = without_code(folded);
        let bits = PATTERNS.iter().enumerate().filter(|(bit, regex)| {
            let is_about_time = *bit == Cue::Momentary as usize;
            regex.is_match(if is_about_time { &prose } else { folded })
        });
        let english = bits.fold(0, |all, (bit, _)| all | 1 << bit);
        let foreign = FOREIGN.iter().filter(|(_, regex)| regex.is_match(folded));
        Self(foreign.fold(english, |all, (cue, _)| all | 1 << *cue as u64))
    }

    pub(super) const fn has(self, cue: Cue) -> bool {
        self.0 & (1 << cue as u64) != 0
    }

    pub(super) fn has_any(self, cues: &[Cue]) -> bool {
        cues.iter().any(|cue| self.has(*cue))
    }
}

fn without_code(folded: &str) -> Cow<'_, str> {
    if !folded.contains('`') {
        return Cow::Borrowed(folded);
    }
    let prose = folded.split('`').step_by(2);
    Cow::Owned(prose.collect::<Vec<_>>().join(" "))
}

/// The same turns of phrase in German, French and Spanish, as far as they are plain. `_` stands for
/// a letter outside ASCII.
static FOREIGN: LazyLock<Vec<(Cue, Regex)>> = LazyLock::new(|| {
    [
        (
            Cue::Rule,
            r"\b(?:niemals|auf keinen fall|immer (?:nur|auf|mit|in|im|die|den|das|der|eine?|als|erst|zuerst)|d_rfen (?:nie|nicht)|jamais|toujours (?:en|le|la|les|un|une|avec)|siempre|nunca|jam_s)\b",
        ),
        (
            Cue::Decided,
            r"\b(?:wir haben (?:uns )?[ -~]{0,40}(?:entschieden|beschlossen)|nous avons d_cid_|on a d_cid_|hemos decidido|decidimos)",
        ),
        (
            Cue::Rationale,
            r"\b(?:weil|deshalb|damit (?:der|die|das|es|wir|sie)|parce que|afin d|porque|para que|ya que)\b",
        ),
        (
            Cue::Cause,
            r"\b(?:die ursache|das problem (?:ist|war)|der grund (?:ist|war)|liegt (?:an|daran)|la cause|le probl_me (?:est|vient)|vient de|el problema (?:es|era)|la causa|se debe a)\b",
        ),
        (
            Cue::Remedy,
            r"\b(?:behoben|die l_sung ist|corrig_ en|la solution est|se soluciona|se arregla|la soluci_n es)",
        ),
        (
            Cue::Done,
            r"\b(?:jetzt|entfernt|ersetzt|hinzugef_gt|ge_ndert|ajout_e?|remplac_e?|supprim_e?|a_ad_|cambi_|reemplac_|elimin_|ahora)",
        ),
        (
            Cue::Wants,
            r"\b(?:ich m_chte|bitte (?:immer|nie|keine)|je pr_f_re|prefiero)\b",
        ),
    ]
    .into_iter()
    .map(|(cue, text)| (cue, pattern(text)))
    .collect()
});

cues! {
    /// A choice that was made, in so many words.
    Decided = r"(?:\b(?:(?:we|i|they|the team)(?:'ve| have| had)? (?:also |both )?(?:decided|agreed|settled|chose|chosen|picked|opted|went with|gone with|standardi[sz]ed on)|(?:was|been|were) (?:decided|chosen|settled|agreed)|(?:i am|i'm|we are|we're) going with|(?:chose|picked|opted for|settled on|went with) [`a-z0-9_]|the (?:choice|design decision) (?:is|was))\b|^decisions?:)";
    /// A choice that is being made.
    Choosing = r"(?:\b(?:we (?:go|stay|stick) with|let's (?:just )?(?:use|go with|switch|keep|stick|drop|avoid|adopt|move (?:to|away|off)|replace|standardi[sz]e|store|never|always|make (?:it|this|that) (?:the )?(?:default|rule))|(?:we'll|i'll|we will|i will|we are going to|we're going to) (?:use|go with|stick (?:to|with)|adopt|standardi[sz]e on|move to|switch to)|we're (?:switching|moving|dropping|keeping|replacing|standardi[sz]ing))\b|^(?:ok(?:ay)?,? |yes,? |yep,? |sure,? |right,? |agreed,? |good,? )?(?:then )?(?:go with|stick (?:to|with)|switch (?:to|over to)|move (?:to|over to)) [`a-z])";
    /// One thing in the place of another.
    Replaced = r"\b(?:instead of|rather than|in place of|over using|no longer use|switch(?:ed)? (?:from|to|over)|migrat(?:e|ed) (?:from|to)|replace[ds]? [ -~]{1,60} (?:with|by)|in favou?r of|prefer(?:red)? [ -~]{1,40} over|(?:use|using) [`a-z0-9._/-]+,? (?:and )?not )";
    /// A reason.
    Rationale = r"(?:, since |\b(?:because|since (?:it|we|the|they|this|that|a|an|our|there|`)|so that|so (?:it|we|the|they|a|an|nobody|no|every|one|readers?|callers?|users?) [a-z]|in order to|to avoid|to prevent|to keep|to make sure|otherwise|which (?:means|lets|allows|avoids|keeps|makes)|that way|this way|this (?:lets|means|allows|avoids|keeps|makes)|the reason|due to|given that|as (?:it|they|we|this) (?:would|is|are|does|can)|would (?:break|fail|leak|block|slow)|trade-?off)\b)";
    /// A standing rule.
    Rule = r"\b(?:always|never|off[- ]limits|every time|from now on|going forward|at all times|without exception|under no circumstances|must(?:n't| not| be| have| never| always)?|(?:should|shall) (?:always|never)|(?:is|are) (?:forbidden|banned|mandatory|not allowed|disallowed|prohibited)|as a rule|by convention|(?:our|the|a) conventions?|make sure (?:to |you |that )?(?:always|every|all|never|each)|(?:each|every|all|no) [a-z`_ -]{2,40} (?:must|should|needs? to|has to|have to|may)|(?:don't|do not|stop) ever)\b";
    /// The way things are done by this team or in this repository.
    House = r"(?:\bwe (?:don't|do not|never) (?:do|have|allow|use|want|write|touch|commit|hard-?code)\b|^we (?:always |never |only )?[a-z]{3,12} (?:every|all|each|only)\b|^(?:also |please |and )*use [ -~]{2,40} only\b|^(?:[a-z ,'-]{0,24} )?we (?:always |never |only |don't |do not |generally |usually )?(?:use|keep|follow|write|name|prefix|format|avoid|prefer|store|ship|deploy|pin|treat|target|support|require|sign|squash|rebase)\b|\b(?:our (?:convention|style|policy|rule|standard|practice|guideline|naming|commits?|branch(?:es)?) (?:is|are|says?)|this (?:repo|repository|project|code ?base|workspace) (?:uses?|follows?|requires?|expects?|targets?|pins?|keeps?)|the (?:convention|house rule|policy|style guide|naming scheme)(?: here| for [a-z`_ -]{2,40})? (?:is|says))\b|^(?:conventions?|house rules?|rules?):)";
    /// What a person wants.
    Wants = r"(?:\bi(?:'d)? (?:really |would |strongly |always |still |also )?(?:prefer|like (?:it when|my|to see)|hate|dislike|don't (?:like|want)|do not (?:like|want)|want you to (?:always|never|stop|avoid)|(?:would )?rather)\b|\b(?:my preference|please (?:always|never|don't|do not|stop|keep|prefer)|(?:always|please) ask me|ask me (?:before|first)|(?:don't|do not|never) ask|(?:always )?tell me before|stop (?:using|adding|asking|writing|creating|putting|generating)|keep (?:it|your|the|all) [a-z ]{0,20}(?:short|brief|concise|terse|small)|(?:answer|reply|respond) in [a-z])\b)";
    /// A person says that it is to be remembered.
    Remember = r"^(?:#|(?:please |also |and )*(?:remember|memori[sz]e|note for (?:later|the future)|for (?:the record|future reference)|keep in (?:mind|memory)|add (?:this |it )?to (?:your |the )?memory|save (?:this |it )?to memory)\b)";
    /// A correction of what the agent did or is about to do.
    Corrects = r"^(?:no+|nope|nah|wrong|wait|stop|hold on|not quite|actually|hmm|hey|please|and|also|but|again|sorry)?[,.!:; -]*(?:no,? )?(?:i said|i told you|we (?:don't|do not|never) (?:use|do|want|need)|don't|do not|never|stop|avoid|use [ -~]{1,60}(?:instead\b|rather than|, not | and not | not [`a-z0-9._-]+[.!]?$)|not [`a-z0-9._/-]+[,;:]? (?:use|but)|it's [ -~]{1,40}, not )";
    /// A cause that was found.
    Cause = r"\b(?:root ?cause|(?:real|actual|underlying) (?:problem|issue|cause|bug|reason|culprit)|(?:problem|issue|bug|culprit|cause|reason|error|failure|crash|hang|flake|deadlock|race|regression|leak|mistake|catch|trick|trap)(?: here| there)? (?:is that|was that|was|were|turned out|lies|comes|came from|happens|happened)\b|(?:problem|issue|bug|culprit|cause|reason)(?: here)? is\b|(?:is|was|were) the (?:problem|culprit|cause|reason|bug|trap|catch)\b|(?:comes?|came|stems?|results?|arises?) from [ -~]{2,60} (?:because|since|as)\b|(?:error|locked|fail[a-z]*|crash[a-z]*|timeouts?|leaks?|panics?|flicker[a-z]*|deadlocks?|hangs?|[45][0-9][0-9]s?|broken|mangled|slow[a-z]*)[`']? (?:[a-z]+ ){0,3}(?:comes?|came|stems?) from\b|turn(?:s|ed) out|caused by|(?:is|was|were) due to|because of|(?:fails?|failed|breaks?|broke|crash(?:es|ed)?|hangs?|hung|panics?|panicked|blocked|times? out|timed out|flak(?:y|es)|leaks?|deadlocks?|refused|rejected|hidden|lost|missed)\b[ -~]{0,60}\b(?:because|since|due to)\b|(?:this|that|which|it) (?:is|was|happens|happened|fails|failed|broke) because|what (?:actually )?happen(?:s|ed) (?:is|was)|why (?:it|this|that|the [a-z]+) (?:failed|fails|broke|breaks|hung|hangs)\b)";
    /// A remedy.
    Remedy = r"\b(?:fix(?:ed)?(?: (?:is|was|it|this|that|by))|the (?:fix|remedy|workaround|solution|answer) (?:is|was)|(?:solved|resolved|fixed|avoided|cured|worked around) (?:by|it by|this by|with)|work-?around|to fix (?:it|this|that)|(?:adding|setting|switching|using|removing|passing|pinning|enabling|disabling|raising|wrapping|moving|opening|calling|running|changing) [ -~]{2,80} (?:fix(?:es|ed)|solve[sd]|resolve[sd]|helped|worked|avoids|cures?|makes it pass)|now (?:pass|work|use|open|take|wait|retr(?:y|ie)|call|return|start|begin|read|run|check)(?:e?s)?)\b";
    /// A warning.
    Warning = r"\b(?:gotcha|caveat|beware|careful|watch out|pitfall|note that|keep in mind|important(?:ly)?:|warning:|be aware|heads[- ]up|mind that|remember that|silently|surprisingly|unexpectedly|does(?:n't| not) (?:support|respect|honou?r|apply|propagate|work|survive)|only (?:works|applies|runs|supports) (?:if|when|with|on|for|in|inside|after)|(?:must|needs? to|has to|have to) (?:be )?[a-z]+ (?:before|after|first|inside|within|together)|won't (?:work|compile|run|start|build) (?:unless|without|if|until|on)|breaks (?:if|when|on)|fails (?:if|when|on|unless|with))\b";
    /// Where something is.
    Place = r"\b(?:(?:is|are|was|were) (?:defined|declared|located|found|stored|kept|documented|configured|implemented|written|logged|saved|hosted|served|mounted|published|set|read|handled|generated) (?:in|at|on|by|from|under|inside|to|via)|(?:lives?|sits?|resides?|belongs?|goes?) (?:in|at|on|under|inside|next to)|(?:is|are) (?:in|at|under|inside) [`~./a-z0-9]|can be found (?:in|at|under)|(?:listens?|serves?|binds?|is exposed|is available|is reachable) (?:on|at)|(?:url|endpoint|address|dashboard|docs?|documentation|runbook|spec|wiki|staging|production|prod|log file|logs|config(?:uration)?)(?: [a-z]+)? (?:is|are|lives?|live) (?:in|at|on|under|http|`|~|/)|(?:reads?|loads?|comes?|taken|picked up|configured) (?:it |them |its [a-z]+ )?(?:from|via|through) [`~./a-z0-9]|(?:is|are|can be|controlled|configured) (?:set |controlled |configured |overridden )?(?:by|via|through) (?:the )?(?:env(?:ironment)? var(?:iable)?s? )?`?[a-z0-9_./-]+`?|entry ?point (?:is|in)|runs? on port)";
    /// How something is done.
    HowTo = r"(?:^to [a-z]+[ -~]{2,80}(?:,|:) ?(?:you (?:need to |have to |must |can )?|we |just |first |simply )?(?:run|use|call|execute|set|start|type|do|copy|create|add|edit|open|invoke)\b|^(?:run|use|execute) `[ -~]{3,80}` (?:to|before|after|when|for|instead)|\b(?:can be|is|are|gets?) (?:run|started|built|deployed|regenerated|updated|released|generated|reviewed|reset) (?:with|by|via|using|through) `|\b(?:steps? to|how to|in order to [a-z]+[ -~]{2,60} (?:run|use))\b)";
    /// A statement that its speaker is not sure of.
    Hedge = r"\b(?:maybe|perhaps|might|probably|possibly|likely|i (?:think|guess|suspect|believe|assume|wonder|suppose|'m not sure|am not sure|doubt)|i'm not sure|not sure|could be|may be|may have|could have|seems?|appears? to|looks like|looks to be|presumably|my (?:guess|hunch|theory|hypothesis)|hypothesis|if i remember|sounds like|one possibility|another possibility|potentially|suspect(?:ed)?|unclear|in theory|should probably|worth checking)\b";
    /// Talk about what comes next, or about the work itself.
    Chatter = r"^(?:(?:ok(?:ay)?|great|good|perfect|excellent|nice|sure|right|alright|done|yes|got it|understood|thanks?|thank you|hmm|wow|interesting|well|so|now|and|hi|hello|hey)[,.! -]*)*(?:let me|let's (?:see|check|look|start|run|try|verify|first|continue|begin|move on|take)|i'?ll\b|i will\b|i'?m (?:going to|now|about to|starting|looking|checking|running|reading|working)|i am (?:going|now)|i(?:'ve| have) (?:read|looked|checked|reviewed|started|begun|now)|i (?:need|want|have) to|i can see|i see\b|i found the|now (?:i|let|we|to|for|that|the next)|next[,:]|first[,:]? (?:i|let|we)|looking at|checking|reading|running|searching|exploring|starting|continuing|moving on|time to|before (?:i|we) |we need to|we can now|here(?:'s| is| are)|the (?:next step|following)|as you can see|as (?:requested|expected)|would you|do you want|want me|shall i|should i|let me know|feel free|happy to|i hope|you can now|this is ready|everything|all (?:tests|done|good|set|checks|green)|that (?:works|worked|did it)|it (?:works|worked|passes|compiles)|tests? pass|the tests? (?:now )?pass|no changes|waiting|still (?:running|working))\b";
    /// Talk bound to the moment.
    Momentary = r"\b(?:for now|for the moment|yet|this time|right now|at the moment|currently|temporar(?:y|ily)|just this once|today|tomorrow|in this (?:pr|commit|session|task|change|branch)|later|as a first step|in a (?:moment|minute|second)|wait (?:until|for)|before (?:you|i) (?:continue|go on|start)|until (?:i|it|the|everything|all|we)|(?:is|are) (?:now |already )?(?:running|working|showing|up)|now (?:running|live|available)|(?:just now|so far|again))\b";
    /// A word that takes something back.
    Retracts = r"\b(?:i was wrong|my mistake|scratch that|never ?mind|wasn't (?:it|the|that|actually|in|because)|was not (?:it|the|actually|because)|that's not (?:it|the|right|why)|that is not (?:it|the|why)|isn't the (?:problem|cause|issue|culprit|reason)|is not the (?:problem|cause|issue|culprit|reason)|not the (?:problem|cause|issue|culprit|reason|root)|red herring|disproved|ruled out|rules (?:that|this|it) out|turns out (?:it|that|the)[ -~]{0,40}\b(?:isn't|wasn't|not|doesn't|didn't)|contrary to (?:what|my)|incorrect(?:ly)?|i misread|misdiagnos|false lead|(?:didn't|did not|doesn't|does not) (?:help|fix|work|change anything|make a difference)|still (?:fails?|failing|broken|breaks|crash(?:es)?|hangs?|happens|happening|not working|the same|reproduces|see(?:ing)?|gett?ing|get)|no longer (?:true|holds|think)|instead,? the (?:real|actual)|revert(?:ed|ing)?|undo|back(?:ed)? out|actually,? (?:no|the|it|that)|on second thought)\b";
    /// A person throws work out.
    Reverts = r"\b(?:scrap (?:that|this|it|the)|revert (?:it|that|this|the|everything|all|your)|undo (?:it|that|this|the|your|everything)|roll (?:it|that|this) back|roll back (?:the|that|this|it)|throw (?:it|that|this) (?:away|out)|back (?:it|that|this) out|forget (?:it|that|about (?:it|that|the)|the)|never ?mind (?:that|the)|take (?:it|that|this) out again|drop (?:that|this) (?:idea|again|change)|let's not (?:do|use) (?:it|that|this))\b";
    /// How things stand after the work.
    Stands = r"\b(?:now|no longer|instead of|(?:is|are) gone|uses?|takes?|reads?|goes? to|goes|sends?|echoes|links?|went from|is (?:a|an|the) `)\b";
    /// It is told how one thing follows from another.
    Explains = r"(?:\b(?:because|so that|therefore|hence|which (?:counts|means|is|makes|then)|while|whose|until|once the|since)\b|, so |, and (?:excel|the|it|then)|: [a-z`])";
    /// Something is wrong, and somebody wants to know why.
    Troubles = r"\b(?:fails?|failing|failed|flaky|errors?|crash(?:es|ed)?|hangs?|stops?|stuck|deadlocks?|slow|takes? [0-9]+|leaks?|oom|killed|evicted|timeouts?|times? out|block(?:s|ed)|broken|breaks?|mismatch|wrong|off by one|sporadic|duplicates?|missing|lost|lose|loses|50[0-9]s?|why|find out|investigate|track it down|see why|rompe|l_cken|kaputt|fehler|erreur|plante)\b";
    /// Something was done.
    Done = r"(?:\b(?:is|are) now [a-z]{2,}(?:ed|en)\b|^(?:i |i've |i have |we |both |all )?(?:also |now |just )?(?:[a-z]{3,}ed|built|wrote|made|set|put|ran|kept|split|cut)\b|\b(?:added|fixed|implemented|updated|removed|replaced|moved|renamed|refactored|created|introduced|changed|switched|wrote|wired|extracted|split|merged|deleted|migrated|rewrote|converted|enabled|disabled|upgraded|documented|hardened|simplified|set up|configured|deployed|released|published|measured|reduced|increased)\b)";
    /// What is wrong at the moment, told by somebody who wants it mended.
    Complains = r"\b(?:(?:should|must)(?:n't| not| never) (?:happen|be happening|have)|still (?:doesn't|does not|don't|no|not|the same|broken|fails?|failing|wrong|shows?|seeing|get)|(?:doesn't|does not|don't) (?:seem|work)|not working|(?:is|are|was|were) (?:broken|wrong|missing|gone|empty)|(?:is|are) not (?:showing|loading|working|displayed|visible|there)|not (?:showing|loading)|(?:always|never) (?:have to|had to|see|get|gets|asks?|shows?)|don't (?:see|know|think|understand|get)|(?:is|are) now |you (?:forgot|just|again|should(?:n't)?|didn't|did not|were|are|keep|have not|haven't|broke|deleted|created)|why (?:is|are|do|does|did|was|were|don't|doesn't)|what (?:happened|is going on)|(?:fix|debug|investigate|correct) (?:it|this|that)\b|hallucinat|i (?:see|get|can't|cannot|still|don't see|do not see|expected|noticed))\b";
    /// Beginning of a task.
    Tasks = r"^(?:ok(?:ay)?,? |now,? |then,? |and |also,? |next,? |please |ultrathink[,.]? (?:and |how )?|first,? |in addition,? )*(?:add|analy[sz]e|adapt|adjust|apply|build|change|check|clean|compare|complete|consolidate|continue|convert|copy|correct|create|debug|delete|describe|design|determine|develop|do|document|enable|ensure|examine|execute|expand|explain|extend|extract|figure|find|finish|fix|generate|get|give|go|have|help|identify|implement|improve|include|install|integrate|investigate|list|look|make|merge|migrate|modify|move|open|optimi[sz]e|perform|plan|populate|prepare|prettify|produce|propose|provide|push|read|recreate|redo|refactor|remove|rename|reorgani[sz]e|repair|research|resolve|restart|restore|restructure|review|revise|rewrite|run|scan|search|see|set|show|simplify|split|start|summari[sz]e|take|test|tick|trace|try|turn|understand|update|upgrade|use [a-z0-9_-]+ to|verify|wire|write)\b";
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
