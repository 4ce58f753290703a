/* inject/arguments.c: sendmail's command line in the forms that programs really use, and those that an attacker would
 * like. A line is words; the wanted outcome is a description of struct arguments. */

#include <stdlib.h>
#include <string.h>

#include "inject/arguments.h"
#include "tests/tap.h"

/* words are separated by '|'. Outcome: the mode's letter (s b=smtp p=list q=flush a=aliases), t, i, then key=value,
 * then ':' and the recipients with '|'. "!" and an option: refused. */
static struct {
    char const *in, *out;
} const forms[] = {
    /* what programs run */
    {"sendmail|-t|-i", "sti:"}, /* PHP */
    {"sendmail|-ti", "sti:"},
    {"sendmail|-it", "sti:"},
    {"sendmail|-t", "st:"},
    {"sendmail|-t|-oi", "sti:"}, /* Perl MIME::Lite, git */
    {"sendmail|-oi|-t", "sti:"},
    {"sendmail|-t|-oi|-oem", "sti:"},
    {"sendmail|-oi|-oem|-t|-f|root", "sti f=root:"},
    {"sendmail|-FCronDaemon|-i|-odi|-oem|-oi|-t|-f|root", "sti f=root F=CronDaemon:"}, /* cron */
    {"sendmail|-FCronDaemon|-i|-B8BITMIME|-oem|root", "si F=CronDaemon B=8BITMIME:root"},
    {"sendmail|-FCronDaemon|-odi|-oem|-oi|-t", "sti F=CronDaemon:"},
    {"sendmail|-oem|-oi|--|a@b.c", "si:a@b.c"}, /* mutt */
    {"sendmail|-oem|-oi|-f|me@x|--|a@b|c@d", "si f=me@x:a@b|c@d"},
    {"sendmail|-oi|-oem|-fme@x|--|a@b", "si f=me@x:a@b"},
    {"sendmail|-oem|-oi|-B|8BITMIME|-f|me@x|--|a@b", "si f=me@x B=8BITMIME:a@b"},
    {"sendmail|-oem|-oi|-N|failure,delay|-R|hdrs|--|a@b", "si R=HDRS N=FAILURE,DELAY:a@b"},
    {"sendmail|-i|a@b", "si:a@b"}, /* mailx, s-nail */
    {"sendmail|-i|-m|a@b", "si:a@b"},
    {"sendmail|-i|-f|me@x|--|a@b", "si f=me@x:a@b"},
    {"sendmail|-i|a@b|c@d|e@f", "si:a@b|c@d|e@f"}, /* git send-email */
    {"sendmail|-f|git@x|-i|a@b", "si f=git@x:a@b"},
    {"sendmail|-bs", "b:"}, /* pine, exim's tests */
    {"sendmail|-bs|-odb|-oem", "b:"},
    {"sendmail|-bm|-i|a@b", "si:a@b"},
    {"sendmail|-bm|-t", "st:"},
    {"sendmail|-bp", "p:"},
    {"sendmail|-bi", "a:"},
    {"sendmail|-I", "a:"},
    {"sendmail|-q", "q:"},
    {"sendmail|-q30m", "q:"},
    {"sendmail|-qRexample.org", "q:"},
    {"sendmail|-qSexample.org", "q:"},
    {"sendmail|-qIabc", "q:"},
    {"sendmail|-q|-v", "q:"},
    {"sendmail|-v|-q", "q:"},
    {"sendmail|-Ac|-q", "q:"},
    {"/usr/sbin/sendmail|-t|-i", "sti:"},
    {"/usr/lib/sendmail|-oi|a@b", "si:a@b"},
    {"mailq", "p:"},
    {"/usr/bin/mailq", "p:"},
    {"mailq|-v", "p:"},
    {"mailq|-Ac", "p:"},
    {"newaliases", "a:"},
    {"/usr/bin/newaliases|-v", "a:"},
    {"pneu-sendmail|-t", "st:"},
    {"sendmail|-i|-t|-f|bounce+x=y.z@lists.example|-F|My List", "sti f=bounce+x=y.z@lists.example F=My List:"},
    {"sendmail|-fbounces@x|-i|a@b", "si f=bounces@x:a@b"},
    {"sendmail|-r|me@x|a@b", "s f=me@x:a@b"},
    {"sendmail|-rme@x|a@b", "s f=me@x:a@b"},
    {"sendmail|-G|-i|-f|me@x|--|a@b", "si f=me@x:a@b"}, /* Postfix's content filters */
    {"sendmail|-G|-i|a@b", "si:a@b"},
    {"sendmail|-U|-i|a@b", "si:a@b"},
    {"sendmail|-oi|-f|<>|a@b", "si f=<>:a@b"},
    {"sendmail|-oi|-f||a@b", "si f=:a@b"},
    {"sendmail|-oi|-f<>|a@b", "si f=<>:a@b"},
    {"sendmail|-f|a|-f|b|x", "s f=b:x"},
    {"sendmail|-n|-i|a", "si:a"},
    {"sendmail|-v|a", "s:a"},
    {"sendmail|-x|a", "s:a"},
    {"sendmail|-m|a", "s:a"},
    {"sendmail|-vim|a", "si:a"},
    {"sendmail|-em|a", "s:a"},
    {"sendmail|-ee|a", "s:a"},
    {"sendmail|-e|q|a", "s:a"},
    {"sendmail|-ep|-i|a", "si:a"},
    {"sendmail|-h|3|a", "s:a"},
    {"sendmail|-h3|a", "s:a"},
    {"sendmail|-L|tag|a", "s:a"},
    {"sendmail|-Ltag|a", "s:a"},
    {"sendmail|-Am|a", "s:a"},
    {"sendmail|-Ac|a", "s:a"},
    {"sendmail|-A|a", "s:a"},
    {"sendmail|-p|SMTP:host|a", "s:a"},
    {"sendmail|-pSMTP:host|a", "s:a"},
    {"sendmail|-O|DeliveryMode=b|a", "s:a"},
    {"sendmail|-ODeliveryMode=b|a", "s:a"},
    {"sendmail|-OIgnoreDots=true|a", "si:a"},
    {"sendmail|-O|ignoredots|a", "si:a"},
    {"sendmail|-OErrorMode=m|-OIgnoreDots|-t", "sti:"},
    {"sendmail|-odb|a", "s:a"},
    {"sendmail|-odq|a", "s:a"},
    {"sendmail|-odi|a", "s:a"},
    {"sendmail|-oep|a", "s:a"},
    {"sendmail|-om|a", "s:a"},
    {"sendmail|-oA/etc/aliases|a", "s:a"},
    {"sendmail|-oQ/tmp|a", "s:a"},
    {"sendmail|-o|i|a", "si:a"},
    {"sendmail|-o|db|a", "s:a"},
    {"sendmail|-o7|a", "s:a"},
    {"sendmail|-oitrue|a", "si:a"},
    {"sendmail|-oifalse|a", "s:a"},
    {"sendmail|-oiF|a", "s:a"},
    {"sendmail|-oi0|a", "s:a"},
    {"sendmail|-oiem|a", "si:a"},
    {"sendmail|-oi|-oi|-i|a", "si:a"},
    /* bundles */
    {"sendmail|-tioi", "sti:"},
    {"sendmail|-tif|me|a", "sti f=me:a"},
    {"sendmail|-tifme|a", "sti f=me:a"},
    {"sendmail|-vtiUGmnx", "sti:"},
    {"sendmail|-ivFJoe|a", "si F=Joe:a"},
    {"sendmail|-iF|Joe X|a", "si F=Joe X:a"},
    {"sendmail|-F||a", "s F=:a"},
    {"sendmail|-tB8BITMIME", "st B=8BITMIME:"},
    {"sendmail|-tNnever", "st N=NEVER:"},
    {"sendmail|-iq", "qi:"},
    {"sendmail|-bpv", "!-b"},
    /* DSN */
    {"sendmail|-N|never|a", "s N=NEVER:a"},
    {"sendmail|-N|NEVER|a", "s N=NEVER:a"},
    {"sendmail|-Nsuccess|a", "s N=SUCCESS:a"},
    {"sendmail|-N|failure|a", "s N=FAILURE:a"},
    {"sendmail|-N|delay|a", "s N=DELAY:a"},
    {"sendmail|-N|success,failure|a", "s N=SUCCESS,FAILURE:a"},
    {"sendmail|-N|delay,success|a", "s N=SUCCESS,DELAY:a"},
    {"sendmail|-N|delay,failure,success|a", "s N=SUCCESS,FAILURE,DELAY:a"},
    {"sendmail|-N|Success,success|a", "s N=SUCCESS:a"},
    {"sendmail|-N|never,success|a", "!-N"},
    {"sendmail|-N|success,never|a", "!-N"},
    {"sendmail|-N|success,|a", "!-N"},
    {"sendmail|-N|,success|a", "!-N"},
    {"sendmail|-N|success failure|a", "!-N"},
    {"sendmail|-N||a", "!-N"},
    {"sendmail|-N|x|a", "!-N"},
    {"sendmail|-N|succes|a", "!-N"},
    {"sendmail|-N", "!-N"},
    {"sendmail|-R|full|a", "s R=FULL:a"},
    {"sendmail|-Rhdrs|a", "s R=HDRS:a"},
    {"sendmail|-R|HDRS|a", "s R=HDRS:a"},
    {"sendmail|-R|headers|a", "!-R"},
    {"sendmail|-R||a", "!-R"},
    {"sendmail|-R", "!-R"},
    {"sendmail|-V|abc|a", "s V=abc:a"},
    {"sendmail|-Vabc|a", "s V=abc:a"},
    {"sendmail|-V|a b|a", "s V=a+20b:a"},
    {"sendmail|-V|a+b=c|a", "s V=a+2Bb+3Dc:a"},
    {"sendmail|-V|\x7f\xc3\xb6|a", "s V=+7F+C3+B6:a"},
    {"sendmail|-V||a", "!-V"},
    {"sendmail|-V", "!-V"},
    {"sendmail|-V|"
     "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789"
     "|a",
     "s V=0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789:a"},
    {"sendmail|-V|"
     "01234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890"
     "|a",
     "!-V"},
    {"sendmail|-B|7bit|a", "s B=7BIT:a"},
    {"sendmail|-B7BIT|a", "s B=7BIT:a"},
    {"sendmail|-B|8bitmime|a", "s B=8BITMIME:a"},
    {"sendmail|-B|BINARYMIME|a", "!-B"},
    {"sendmail|-B||a", "!-B"},
    {"sendmail|-B|x\ny|a", "!-B"},
    {"sendmail|-B", "!-B"},
    /* recipients */
    {"sendmail|a", "s:a"},
    {"sendmail|a|b", "s:a|b"},
    {"sendmail|--|a|b", "s:a|b"},
    {"sendmail|--", "s:"},
    {"sendmail", "s:"},
    {"sendmail|-t|a|b", "st:a|b"},
    {"sendmail|Joe <a@b>, c@d", "s:Joe <a@b>, c@d"},
    {"sendmail|-i|--|root", "si:root"},
    {"sendmail|a@b|--", "!"},
    {"sendmail|a@b|-t", "!"},
    {"sendmail|a@b|-f|x@y", "!"},
    {"sendmail|a@b|-X/tmp/x", "!"},
    {"sendmail|a@b||c", "!"},
    {"sendmail|", "!"},
    {"sendmail|--|-t", "!"},
    {"sendmail|--|--", "!"},
    {"sendmail|--|a|-oQ/tmp", "!"},
    {"sendmail|--|-be|${run{/bin/sh}}", "!"},
    {"sendmail|-", "!"},
    {"sendmail|-|a", "!"},
    {"sendmail|-i|-|a", "!"},
    {"sendmail|--|", "!"},
    {"sendmail|-t|--|-X", "!"},
    {"sendmail|\xff", "s:\xff"},
    {"sendmail|a;id", "s:a;id"},
    {"sendmail|$(id)", "s:$(id)"},
    /* senders that are options */
    {"sendmail|-f|-X/tmp/log|a", "!-f"},
    {"sendmail|-f-X|a", "!-f"},
    {"sendmail|-r|-oQ/tmp|a", "!-r"},
    {"sendmail|-r-x|a", "!-r"},
    {"sendmail|-f|--|a", "!-f"},
    {"sendmail|-f|-t", "!-f"},
    {"sendmail|-f", "!-f"},
    {"sendmail|-t|-f", "!-f"},
    {"sendmail|-r", "!-r"},
    {"sendmail|-fx y|a", "s f=x y:a"},
    {"sendmail|-fx -X/tmp/x|a", "s f=x -X/tmp/x:a"},
    {"sendmail|-fx\" -oQ/tmp -X/var/www/x.php z@y|a", "s f=x\" -oQ/tmp -X/var/www/x.php z@y:a"},
    /* what is refused */
    {"sendmail|-X/tmp/log|a", "!-X"},
    {"sendmail|-X|/tmp/log|a", "!-X"},
    {"sendmail|-tX/tmp/log|a", "!-X"},
    {"sendmail|-t|-i|-X|/var/www/x.php", "!-X"},
    {"sendmail|-C/tmp/cf|a", "!-C"},
    {"sendmail|-C|/tmp/cf|a", "!-C"},
    {"sendmail|-iC|/tmp/cf|a", "!-C"},
    {"sendmail|-D/tmp/x|a", "!-D"},
    {"sendmail|-DX=y|a", "!-D"},
    {"sendmail|-be|${run{id}}", "!-b"},
    {"sendmail|-bd", "!-b"},
    {"sendmail|-bD", "!-b"},
    {"sendmail|-bd|-q30m", "!-b"},
    {"sendmail|-q30m|-bd", "!-b"},
    {"sendmail|-bv|a", "!-b"},
    {"sendmail|-bt", "!-b"},
    {"sendmail|-bh", "!-b"},
    {"sendmail|-bP", "!-b"},
    {"sendmail|-bl", "!-b"},
    {"sendmail|-b|s", "b:"},
    {"sendmail|-b|d", "!-b"},
    {"sendmail|-b", "!-b"},
    {"sendmail|-b|", "!-b"},
    {"sendmail|-bsx", "!-b"},
    {"sendmail|-d0.1", "!-d"},
    {"sendmail|-M|id", "!-M"},
    {"sendmail|-Mrm|id", "!-M"},
    {"sendmail|-s|subject|a", "!-s"},
    {"sendmail|-c|a", "!-c"},
    {"sendmail|-a|file", "!-a"},
    {"sendmail|-u|x", "!-u"},
    {"sendmail|-z", "!-z"},
    {"sendmail|-1", "!-1"},
    {"sendmail|-Q", "!-Q"},
    {"sendmail|--help", "!--"},
    {"sendmail|--version", "!--"},
    {"sendmail|-i-", "!--"},
    {"sendmail|-t\xff", "!-?"},
    {"sendmail|-\n", "!-?"},
    {"sendmail|-t-X", "!--"},
    {"sendmail|-O", "!-O"},
    {"sendmail|-o", "!-o"},
    {"sendmail|-F", "!-F"},
    {"sendmail|-L", "!-L"},
    {"sendmail|-h", "!-h"},
    {"sendmail|-p", "!-p"},
    {"sendmail|-e", "!-e"},
    {"sendmail|-X", "!-X"},
    {"sendmail|-C", "!-C"},
    /* the last mode counts */
    {"sendmail|-bs|-bm|a", "s:a"},
    {"sendmail|-bm|-bs", "b:"},
    {"sendmail|-bp|-q", "q:"},
    {"mailq|-q", "q:"},
    {"mailq|-bm|a", "s:a"},
    {"newaliases|-bs", "b:"},
};

static void
describe(stralloc *to, struct arguments const *a)
{
    static char const modes[] = {
        [ARGUMENTS_SEND] = 's',  [ARGUMENTS_SMTP] = 'b',    [ARGUMENTS_LIST] = 'p',
        [ARGUMENTS_FLUSH] = 'q', [ARGUMENTS_ALIASES] = 'a',
    };
    struct {
        char const *key, *value;
    } const values[] = {
        {" f=", a->sender}, {" F=", a->name},   {" B=", a->body},
        {" R=", a->ret},    {" N=", a->notify}, {" V=", a->envid.len ? a->envid.s : 0},
    };

    to->len = 0;
    stralloc_append(to, modes[a->mode]);
    stralloc_cats(to, a->header ? "t" : "");
    stralloc_cats(to, a->nodots ? "i" : "");
    for (unsigned int i = 0; i < sizeof values / sizeof *values; i++)
        if (values[i].value) {
            stralloc_cats(to, values[i].key);
            stralloc_cats(to, values[i].value);
        }
    stralloc_cats(to, ":");
    for (char const *const *p = a->rest; *p; p++) {
        stralloc_cats(to, p == a->rest ? "" : "|");
        stralloc_cats(to, *p);
    }
    stralloc_0(to);
}

int
main(void)
{
    stralloc got = STRALLOC_ZERO;
    char line[1024];

    for (unsigned int i = 0; i < sizeof forms / sizeof *forms; i++) {
        struct arguments a = ARGUMENTS_ZERO;
        char const *argv[16] = {line};
        int n = 1;
        strcpy(line, forms[i].in);
        for (char *p = line; (p = strchr(p, '|')); argv[n++] = p)
            *p++ = 0;
        if (arguments_read(&a, argv)) {
            describe(&got, &a);
        } else {
            stralloc_copys(&got, "!");
            stralloc_cats(&got, a.option);
            stralloc_0(&got);
        }
        for (char *p = got.s; *p; p++)
            if ((unsigned char)*p < 0x20 || *p == '#')
                *p = '~';
        ok(!strcmp(got.s, forms[i].out), "form %u: %s", i, got.s);
        stralloc_free(&a.envid);
    }
    stralloc_free(&got);
    return tap_done();
}
