//! What texts that speak to a model say: a set of linear-time rules, each with a weight.

use std::sync::LazyLock;

use regex::RegexSet;

/// A rule: its name for a reviewer, what one hit counts for, and its pattern over lower-case text
/// with single spaces.
struct Rule(&'static str, f32, &'static str);

/// The rules that fire in a text.
pub(super) fn find(text: &str) -> impl Iterator<Item = (&'static str, f32)> {
    static SET: LazyLock<Option<RegexSet>> = LazyLock::new(|| {
        // A pattern that does not compile would be seen by the tests, which fire every rule.
        RegexSet::new(RULES.iter().map(|rule| rule.2)).ok()
    });
    let hits: Vec<usize> = SET
        .as_ref()
        .map(|set| set.matches(text).into_iter().collect())
        .unwrap_or_default();
    hits.into_iter().map(|at| (RULES[at].0, RULES[at].1))
}

const RULES: &[Rule] = &[
    Rule(
        "sets earlier instructions aside",
        0.9,
        r"\b(ignore|disregard|forget|override|bypass|discard|drop|neglect)\b (\w+ ){0,4}?(previous|prior|above|earlier|preceding|foregoing|former|past|system|original|initial|existing|safety|all|your)( \w+){0,3}? (instructions?|prompts?|directions?|directives?|guidelines?|orders?|commands?|programming|training|restrictions?|safeguards?|messages?)\b",
    ),
    Rule(
        "sets earlier instructions aside (another language)",
        0.9,
        r"(\b(ignora|olvida|omite|descarta|desatiende)\b.{0,30}\b(instrucciones|órdenes|indicaciones|reglas anteriores)|\b(ignorez|ignore|oubliez|oublie)\b.{0,30}\b(instructions|consignes|ordres|directives) (précédentes|antérieures|ci-dessus)|\b(ignoriere|ignorier|vergiss|missachte)\b.{0,40}\b(anweisung(en)?|instruktion(en)?|befehle?|vorgaben)|\b(ignora|dimentica|trascura)\b.{0,30}\b(istruzioni|ordini)|\b(ignore|esqueça|desconsidere)\b.{0,30}\b(instruções|ordens)|\b(игнорируй(те)?|забудь(те)?|проигнорируй(те)?)\b.{0,40}(инструкци|указани|команд)|(忽略|无视|無視|忘记).{0,12}(指令|指示|说明|提示|規則|规则)|(指示|命令|指令|プロンプト).{0,8}(無視|忘れ)|(지시|명령|프롬프트).{0,8}(무시|잊)|تجاهل.{0,30}(التعليمات|الأوامر)|\b(negeer|vergeet)\b.{0,30}\b(instructies|opdrachten)|\b(zignoruj|zapomnij)\b.{0,30}(instrukcj|polece)|talimatları.{0,12}(yok say|unut|görmezden))",
    ),
    Rule(
        "gives the model another role",
        0.75,
        r"\b(you are (now|no longer)|from now on,? you (are|will|must|should)|you must now (act|behave|pretend|be)|pretend (that )?you are|i want you to act as|you will (now )?act as|enter (developer|dan|god|debug|jailbreak) mode|developer mode (is )?(now )?(enabled|on)|do anything now)\b",
    ),
    Rule(
        "asks for the model's own instructions",
        0.85,
        r"\b(reveal|print|show|repeat|output|display|leak|tell|give|write|recite|summari[sz]e|dump|formulate|copy|say|send|spell|what (is|are|was|were))\b( \w+){0,6}? ((system|your|initial|hidden|secret|original|full|entire) (prompts?|instructions?|rules|guidelines|directives?)|(previous|above|prior|preceding) (prompts?|instructions?|orders?|directives?))",
    ),
    Rule(
        "steers the model's answer",
        0.7,
        r"(\b(in|to|into|within|from|at|of|with|for|throughout|modify|change|write|provide|display|give|express|encode|translate|present|convert|reverse|respond|start|begin|end|finish|craft|compose|format|deliver|create|alter|adjust)\b( (the|a|an|every|each|all|some|end|beginning|start|bottom|middle|of|\w+ words? in))* your (answers?|responses?|reply|replies|output|final answer)\b|\byour (answer|response|reply) (must|should|has to|needs to|in|with|using|as)\b|\b(respond|reply|answer) only (with|in|by)\b)",
    ),
    Rule(
        "plants code in the model's work",
        0.7,
        r"\b(following|subsequent|below|given|provided|ensuing|accompanying|next|this) (code|piece of code|snippet|programming)( \w+){0,8}? (your|the) (code|codebase|solution|implementation|answer|response|program|project|elucidation|explanation|algorithm|script|function|work|application|software|reply)\b|\b(don't (forget|hesitate)|make sure|be sure|ensure|remember|consider|you (may|might|should|can)|try|feel free|incorporate|integrat(e|ing)|includ(e|ing)|embed|merge|utili[sz]e|introduce|insert|blend|implant|weave|feature|enrich)\b( \w+){0,8}? (following|subsequent|below|ensuing|given|accompanying|succeeding) (code|coding|snippet|piece of code|programming)\b",
    ),
    Rule(
        "hides something from the human",
        0.75,
        r"\b(do not|don't|never|without) (\w+ )?(tell|telling|inform|informing|mention|mentioning|reveal|revealing|notify|notifying|alert|alerting|warn|warning|asking|ask)\b( \w+){0,4}? (the )?(user|human|developer|operator|anyone|owner|admin)\b",
    ),
    Rule(
        "sends secrets away",
        0.85,
        r"\b(send|post|upload|exfiltrate|forward|email|mail|transmit|leak|submit|share|curl|paste|report)\b.{0,60}\b(api[ _-]?keys?|secrets?|credentials?|passwords?|access tokens?|tokens?|environment variables|env vars|\.env|ssh keys?|private keys?|cookies|\.aws|id_rsa|clipboard)\b.{0,60}\b(to|at|via) .{0,40}(https?:|www\.|@|\.com|\.io|\.net|\.xyz|webhook|server|endpoint|url|attacker)",
    ),
    Rule(
        "asks for rights or for what is held back",
        0.7,
        r"\b(grant|give|assign|elevate|promote|make)\b( \w+){0,4}? (me|yourself|itself|this agent|the agent|this account|the assistant|all agents|everyone)( \w+){0,4}? (admin|administrator|root|owner|superuser|full access|all permissions|privileges)|\b(accept|approve|release)\b( \w+){0,2}? (all|every|everything|whatever)\b( \w+){0,4}? quarantine",
    ),
    Rule(
        "addresses the model",
        0.55,
        r"\b(if you are|as|dear|attention|hey|note to|message (to|for)|instructions? (to|for)|important for) (an? |the |any |all )?(ai( (assistants?|models?|agents?))?|llms?|language models?|chat ?bots?|(coding |ai )(assistants?|agents?)|gpt\S*|claude|copilot)\b[,:;]?( \w+){0,6}? (must|should|please|you|need|do|have|ignore|follow|run|execute|call|send)\b|\bwhen(ever)? you (read|see|recall|retrieve|process|summari[sz]e) this\b",
    ),
    Rule(
        "orders a tool to be called",
        0.6,
        r"\b(call|invoke|use|run|execute|trigger)\b( \w+){0,3}? (tool|function|plugin|mcp)\b.{0,60}\b(with|immediately|now|before|without|then)\b.{0,40}\b(all|user|secret|token|password|delete|send|export|admin|every)",
    ),
    Rule(
        "carries marks of a chat template",
        0.85,
        r"<\|(im_start|im_end|endoftext|system|user|assistant|begin_of_text|eot_id|start_header_id)\|>|\[/?inst\]|<</?sys>>|</?(skep-memory|skep-directive|skep-end|system-reminder)\b|(^|[^\w])(###|---|\*\*\*)? ?(system|new instructions?|admin override|system override) ?(message|prompt|note)? ?: ?(you|ignore|from now|the (user|assistant)|override|disregard|all previous)|\b(begin|end) (of )?(system|user) (prompt|message|input)\b",
    ),
    Rule(
        "speaks of jailbreaking as an order",
        0.6,
        r"\b(jailbr(eak|oken) (yourself|mode|prompt)|without (any )?(ethical|moral|safety) (guidelines|restrictions|constraints|filters)|no (longer )?(bound|restricted) by|unfiltered and unrestricted|ignore (your|all|any) (ethic|moral|safety|rules|limits|filters))",
    ),
];

#[cfg(test)]
pub(super) fn names() -> Vec<&'static str> {
    RULES.iter().map(|rule| rule.0).collect()
}
