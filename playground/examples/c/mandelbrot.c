/* A picture in 24 lines. Compiled with -ffunction-sections: what nobody calls can be dropped. */
#include <stdio.h>

static const char shades[] = " .,:;+*oO#@";

static int steps(double x, double y) {
  double a = 0, b = 0;
  int n = 0;
  for (; n < 60 && a * a + b * b < 4; n++) {
    double t = a * a - b * b + x;
    b = 2 * a * b + y;
    a = t;
  }
  return n;
}

void plot(double left, double top, double step) {
  for (int row = 0; row < 24; row++) {
    for (int column = 0; column < 72; column++) putchar(shades[steps(left + column * step, top - row * 2 * step) * 10 / 60]);
    putchar('\n');
  }
}

int main(void) {
  plot(-2.2, 1.2, 0.045);
  return 0;
}
