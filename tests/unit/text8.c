/* lib/utf8.c and lib/xtext.c: what is valid, and what is not by one byte. */

#include <string.h>

#include "lib/utf8.h"
#include "lib/xtext.h"
#include "tests/tap.h"

#define TEXT(s) s, sizeof s - 1

static struct {
    char const *s;
    size_t len;
    int valid;
} const utf8[] = {
    {TEXT(""), 1},
    {TEXT("abc"), 1},
    {TEXT("\0"), 1},
    {TEXT("\xc2\x80"), 1},
    {TEXT("\xc1\xbf"), 0},
    {TEXT("\xc3"), 0},
    {TEXT("\xc3x"), 0},
    {TEXT("\x80"), 0},
    {TEXT("\xe0\xa0\x80"), 1},
    {TEXT("\xe0\x9f\xbf"), 0},
    {TEXT("\xed\x9f\xbf"), 1},
    {TEXT("\xed\xa0\x80"), 0},
    {TEXT("\xee\x80\x80"), 1},
    {TEXT("\xef\xbf\xbf"), 1},
    {TEXT("\xf0\x90\x80\x80"), 1},
    {TEXT("\xf0\x8f\xbf\xbf"), 0},
    {TEXT("\xf4\x8f\xbf\xbf"), 1},
    {TEXT("\xf4\x90\x80\x80"), 0},
    {TEXT("\xf5\x80\x80\x80"), 0},
    {TEXT("\xf0\x90\x80"), 0},
    {TEXT("a\xe2\x82\xac"
          "b"),
     1},
    {TEXT("a\xe2\x82"
          "b"),
     0},
    {TEXT("\xff"), 0},
};

static struct {
    char const *s;
    size_t len;
    int valid;
} const xtext[] = {
    {TEXT(""), 1},     {TEXT("joe@x"), 1}, {TEXT("a+2Bb"), 1},    {TEXT("a+20b"), 1}, {TEXT("+7E"), 1},
    {TEXT("a b"), 0},  {TEXT("a=b"), 0},   {TEXT("a+b"), 0},      {TEXT("a+"), 0},    {TEXT("a+2"), 0},
    {TEXT("a+2b"), 0}, {TEXT("+0A"), 0},   {TEXT("+1F"), 0},      {TEXT("+7F"), 0},   {TEXT("+80"), 0},
    {TEXT("+FF"), 0},  {TEXT("\x7f"), 0},  {TEXT("\xc3\xa9"), 0}, {TEXT("a\0b"), 0},  {TEXT("+G0"), 0},
};

int
main(void)
{
    stralloc out = STRALLOC_ZERO;

    for (size_t i = 0; i < sizeof utf8 / sizeof *utf8; i++)
        ok(utf8_valid(utf8[i].s, utf8[i].len) == utf8[i].valid, "utf8 row %zu", i);
    ok(!utf8_has8bit(TEXT("abc\x7f")) && utf8_has8bit(TEXT("ab\x80")), "8 bit");
    for (size_t i = 0; i < sizeof xtext / sizeof *xtext; i++)
        ok(xtext_valid(xtext[i].s, xtext[i].len) == xtext[i].valid, "xtext row %zu", i);
    ok(xtext_put(&out, TEXT("a+b=c \xff\n~")) && out.len == 19 && !memcmp(out.s, "a+2Bb+3Dc+20+FF+0A~", 19),
       "what needs it is coded");
    ok(xtext_put(&out, "", 0) && !xtext_valid(out.s, out.len), "bytes from 0x80 are coded, but are no text");
    stralloc_free(&out);
    return tap_done();
}
