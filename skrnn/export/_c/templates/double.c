#define net_exp exp
#define net_log1p log1p
#define net_sqrt sqrt
#define net_fabs fabs
#define net_tanh tanh
