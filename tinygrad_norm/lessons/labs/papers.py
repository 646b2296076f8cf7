"""The papers whose results the labs put beside their own."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Paper:
    """A published source, its authors in a row with commas between them.

    >>> print(IOFFE_SZEGEDY.short)
    Ioffe & Szegedy 2015
    >>> print(BJORCK.short)
    Bjorck et al. 2018
    """

    authors: str
    year: int
    title: str
    venue: str

    @property
    def short(self) -> str:
        """Name and year, as a text cites it."""
        first, *others = self.authors.split(", ")
        names = f"{first} et al." if len(others) > 1 else " & ".join([first, *others])
        return f"{names} {self.year}"

    @property
    def cited(self) -> str:
        """Name, year and title, as a sentence cites it in brackets.

        >>> print(ZHANG_SENNRICH.cited)
        Zhang & Sennrich 2019, Root Mean Square Layer Normalization
        """
        return f"{self.short}, {self.title}"

    @property
    def full(self) -> str:
        """Authors, year, title and venue."""
        names = " & ".join(self.authors.rsplit(", ", 1))
        return f"{names} {self.year}, “{self.title}”, {self.venue}"


IOFFE_SZEGEDY = Paper(
    "Ioffe, Szegedy",
    2015,
    "Batch Normalization: Accelerating Deep Network Training by Reducing Internal Covariate Shift",
    "ICML",
)
BA = Paper("Ba, Kiros, Hinton", 2016, "Layer Normalization", "arXiv 1607.06450")
LAURENT = Paper("Laurent, Pereyra, Brakel, Zhang, Bengio", 2016, "Batch Normalized Recurrent Neural Networks", "ICASSP")
HOFFER = Paper(
    "Hoffer, Hubara, Soudry",
    2017,
    "Train longer, generalize better: closing the generalization gap in large batch training of neural networks",
    "NeurIPS",
)
BJORCK = Paper("Bjorck, Gomes, Selman, Weinberger", 2018, "Understanding Batch Normalization", "NeurIPS")
SANTURKAR = Paper(
    "Santurkar, Tsipras, Ilyas, Mądry", 2018, "How Does Batch Normalization Help Optimization?", "NeurIPS"
)
TEYE = Paper(
    "Teye, Azizpour, Smith", 2018, "Bayesian Uncertainty Estimation for Batch Normalized Deep Networks", "ICML"
)
WU_HE = Paper("Wu, He", 2018, "Group Normalization", "ECCV")
LUO = Paper("Luo, Wang, Shao, Peng", 2019, "Towards Understanding Regularization in Batch Normalization", "ICLR")
XU = Paper("Xu, Sun, Zhang, Zhao, Lin", 2019, "Understanding and Improving Layer Normalization", "NeurIPS")
ZHANG_SENNRICH = Paper("Zhang, Sennrich", 2019, "Root Mean Square Layer Normalization", "NeurIPS")
XIONG = Paper(
    "Xiong, Yang, He, Zheng, Zheng, Xing, Zhang, Lan, Wang, Liu",
    2020,
    "On Layer Normalization in the Transformer Architecture",
    "ICML",
)
HENRY = Paper("Henry, Dachapally, Pawar, Chen", 2020, "Query-Key Normalization for Transformers", "Findings of EMNLP")
SHEN = Paper(
    "Shen, Yao, Gholami, Mahoney, Keutzer", 2020, "PowerNorm: Rethinking Batch Normalization in Transformers", "ICML"
)
WANG = Paper(
    "Wang, Wu, Huang", 2022, "Understanding the Failure of Batch Normalization for Transformers in NLP", "NeurIPS"
)
ZHU = Paper("Zhu, Chen, He, LeCun, Liu", 2025, "Transformers without Normalization", "CVPR")
